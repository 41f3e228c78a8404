//! A subscription: which clients push which metrics, and how often. Its options are those of the
//! resource `CLIENT_METRICS`.

use precursor_model::{ErrorCode, ValueKind, nearest_name};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::fmt;

/// Kafka's bounds of `interval.ms`.
const INTERVAL_MS_MIN: i32 = 100;
const INTERVAL_MS_MAX: i32 = 3_600_000;
pub(crate) const INTERVAL_MS_DEFAULT: i32 = 300_000;
/// What one pattern may become in memory.
const PATTERN_BYTES_MAX: usize = 256 << 10;
/// Stands for every metric.
pub(crate) const EVERYTHING: &str = "*";

/// One option of a subscription.
#[derive(Debug)]
pub struct SubscriptionOption {
    pub name: &'static str,
    pub kind: ValueKind,
    pub default: &'static str,
    pub accepts: &'static str,
    pub doc: &'static str,
}

/// Every option, in order of name.
pub const OPTIONS: &[SubscriptionOption] = &[
    SubscriptionOption {
        name: "interval.ms",
        kind: ValueKind::Int,
        default: "300000",
        accepts: "milliseconds from 100 to 3600000",
        doc: "How often a client pushes its metrics.",
    },
    SubscriptionOption {
        name: "match",
        kind: ValueKind::List,
        default: "",
        accepts: "selectors with regular expressions, such as client_id=app-.*",
        doc: "Which clients push: those whom every selector fits.",
    },
    SubscriptionOption {
        name: "metrics",
        kind: ValueKind::List,
        default: "",
        accepts: "beginnings of names of metrics, or * for all",
        doc: "Which metrics are pushed.",
    },
];

/// The option of a subscription with that name.
pub fn find_option(name: &str) -> Option<&'static SubscriptionOption> {
    OPTIONS.iter().find(|option| option.name == name)
}

/// Why an option is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionError {
    Unknown(String),
    NoNumber(String),
    OutOfBounds(i32),
    BadSelector(String),
}

impl OptionError {
    /// Kafka's code for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            OptionError::Unknown(_) | OptionError::OutOfBounds(_) => ErrorCode::InvalidRequest,
            OptionError::NoNumber(_) | OptionError::BadSelector(_) => ErrorCode::InvalidConfig,
        }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(64).collect::<String>();
        match self {
            OptionError::Unknown(name) => {
                let nearest = nearest_name(name, OPTIONS.iter().map(|option| option.name));
                let name = short(name);
                write!(f, "Unknown option '{name}'; did you mean '{nearest}'?")
            }
            OptionError::NoNumber(value) => {
                write!(
                    f,
                    "interval.ms cannot be '{}': it is a number.",
                    short(value)
                )
            }
            OptionError::OutOfBounds(value) => write!(
                f,
                "interval.ms cannot be {value}: it is from {INTERVAL_MS_MIN} to {INTERVAL_MS_MAX}."
            ),
            OptionError::BadSelector(selector) => write!(
                f,
                "'{}' selects no clients: match takes {} with a regular expression behind '='.",
                short(selector),
                SELECTORS.map(|(name, _)| name).join(", ")
            ),
        }
    }
}

impl std::error::Error for OptionError {}

/// Checks an option's value.
///
/// # Errors
/// There is no such option, or it does not take the value.
pub fn check_option(name: &str, value: &str) -> Result<(), OptionError> {
    match name {
        "interval.ms" => interval(value).map(drop),
        "match" => selectors(value).map(drop),
        "metrics" => Ok(()),
        other => Err(OptionError::Unknown(other.to_owned())),
    }
}

fn interval(value: &str) -> Result<i32, OptionError> {
    let number = value.trim().parse::<i32>();
    let number = number.map_err(|_| OptionError::NoNumber(value.to_owned()))?;
    if (INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&number) {
        Ok(number)
    } else {
        Err(OptionError::OutOfBounds(number))
    }
}

/// What a client can be selected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    InstanceId,
    Id,
    SoftwareName,
    SoftwareVersion,
    SourceAddress,
    SourcePort,
}

const SELECTORS: [(&str, Property); 6] = [
    ("client_instance_id", Property::InstanceId),
    ("client_id", Property::Id),
    ("client_software_name", Property::SoftwareName),
    ("client_software_version", Property::SoftwareVersion),
    ("client_source_address", Property::SourceAddress),
    ("client_source_port", Property::SourcePort),
];

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn selectors(value: &str) -> Result<Vec<(Property, Regex)>, OptionError> {
    let selector = |item: &str| {
        let bad = || OptionError::BadSelector(item.to_owned());
        let (name, pattern) = item.split_once('=').ok_or_else(bad)?;
        let known = SELECTORS.iter().find(|(known, _)| *known == name.trim());
        let (_, property) = known.ok_or_else(bad)?;
        // The whole text has to fit, as with Java's `matches`.
        let pattern = RegexBuilder::new(&format!("^(?:{})$", pattern.trim()))
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        Ok((*property, pattern.map_err(|_| bad())?))
    };
    // Of several for one property the last counts, as in Kafka; so there are no more than properties.
    let mut selectors: Vec<(Property, Regex)> = Vec::new();
    for item in items(value) {
        let (property, pattern) = selector(item)?;
        selectors.retain(|(earlier, _)| *earlier != property);
        selectors.push((property, pattern));
    }
    Ok(selectors)
}

/// A subscription in force.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub(crate) metrics: Vec<String>,
    pub(crate) interval_ms: i32,
    selectors: Vec<(Property, Regex)>,
}

impl Subscription {
    /// Reads the options that are set on the resource.
    ///
    /// # Errors
    /// One of them is not what was once checked.
    pub fn new(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let text = |name: &str| options.get(name).map_or("", String::as_str);
        Ok(Subscription {
            metrics: items(text("metrics")).map(str::to_owned).collect(),
            interval_ms: match options.get("interval.ms") {
                Some(value) => interval(value)?,
                None => INTERVAL_MS_DEFAULT,
            },
            selectors: selectors(text("match"))?,
        })
    }

    /// Whether it concerns a client that has these properties.
    pub(crate) fn fits<'a>(&self, property: impl Fn(Property) -> &'a str) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.all(|(wanted, pattern)| pattern.is_match(property(*wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        use ErrorCode::{InvalidConfig, InvalidRequest};
        assert_eq!(check_option("interval.ms", "100"), Ok(()));
        assert_eq!(check_option("metrics", "*"), Ok(()));
        assert_eq!(
            check_option("match", "client_id=a.*, client_software_name=x"),
            Ok(())
        );
        let refused = |name, value| check_option(name, value).unwrap_err();
        assert_eq!(refused("interval.ms", "99").code(), InvalidRequest);
        assert_eq!(refused("interval.ms", "3600001").code(), InvalidRequest);
        assert_eq!(refused("interval.ms", "soon").code(), InvalidConfig);
        assert_eq!(refused("match", "nonsense").code(), InvalidConfig);
        assert_eq!(refused("match", "client_id=(").code(), InvalidConfig);
        assert_eq!(
            refused("match", "client_id=(x{999}){999}").code(),
            InvalidConfig
        );
        assert_eq!(refused("match", "host=x").code(), InvalidConfig);
        let unknown = refused("interval", "1");
        assert_eq!(unknown.code(), InvalidRequest);
        assert!(unknown.to_string().contains("'interval.ms'"), "{unknown}");
    }

    #[test]
    fn the_whole_text_has_to_fit_every_selector() {
        let options = BTreeMap::from([(
            "match".to_owned(),
            "client_id=zz,client_id=a.,client_source_port=9|10".to_owned(),
        )]);
        let subscription = Subscription::new(&options).unwrap();
        let fits = |id: &'static str, port: &'static str| {
            subscription.fits(|property| if property == Property::Id { id } else { port })
        };
        assert_eq!(subscription.selectors.len(), 2);
        assert!(fits("ab", "10"));
        assert!(!fits("ab", "100"));
        assert!(!fits("abc", "10"));
        assert!(!fits("xab", "9"));
    }
}
