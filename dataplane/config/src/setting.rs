//! Every name that can be set, and what it stands for.

use std::sync::LazyLock;

use precursor_model::{Effect, LogConfig, TOPIC_OPTIONS, TopicOption, ValueKind};

use crate::node::NodeConfig;
use crate::options::{NodeOption, OPTIONS};

/// Options of this prefix are the node's defaults for its topics.
pub(crate) const TOPIC_PREFIX: &str = "topic.";

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Kafka's names for the node's default of a topic option: the first one is the name that can be
/// changed while the node runs, the others are coarser spellings for the configuration file.
const KAFKA_NAMES: &[(&str, &[(&str, i64)])] = &[
    ("cleanup.policy", &[("log.cleanup.policy", 1)]),
    ("compression.gzip.level", &[("compression.gzip.level", 1)]),
    ("compression.lz4.level", &[("compression.lz4.level", 1)]),
    ("compression.type", &[("compression.type", 1)]),
    ("compression.zstd.level", &[("compression.zstd.level", 1)]),
    (
        "delete.retention.ms",
        &[("log.cleaner.delete.retention.ms", 1)],
    ),
    (
        "file.delete.delay.ms",
        &[("log.segment.delete.delay.ms", 1)],
    ),
    ("flush.messages", &[("log.flush.interval.messages", 1)]),
    ("flush.ms", &[("log.flush.interval.ms", 1)]),
    ("index.interval.bytes", &[("log.index.interval.bytes", 1)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", 1)]),
    ("local.retention.ms", &[("log.local.retention.ms", 1)]),
    (
        "max.compaction.lag.ms",
        &[("log.cleaner.max.compaction.lag.ms", 1)],
    ),
    ("max.message.bytes", &[("message.max.bytes", 1)]),
    (
        "message.timestamp.after.max.ms",
        &[("log.message.timestamp.after.max.ms", 1)],
    ),
    (
        "message.timestamp.before.max.ms",
        &[("log.message.timestamp.before.max.ms", 1)],
    ),
    (
        "message.timestamp.type",
        &[("log.message.timestamp.type", 1)],
    ),
    (
        "min.cleanable.dirty.ratio",
        &[("log.cleaner.min.cleanable.ratio", 1)],
    ),
    (
        "min.compaction.lag.ms",
        &[("log.cleaner.min.compaction.lag.ms", 1)],
    ),
    ("min.insync.replicas", &[("min.insync.replicas", 1)]),
    ("preallocate", &[("log.preallocate", 1)]),
    ("retention.bytes", &[("log.retention.bytes", 1)]),
    (
        "retention.ms",
        &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", MINUTE_MS),
            ("log.retention.hours", HOUR_MS),
        ],
    ),
    ("segment.bytes", &[("log.segment.bytes", 1)]),
    ("segment.index.bytes", &[("log.index.size.max.bytes", 1)]),
    (
        "segment.jitter.ms",
        &[
            ("log.roll.jitter.ms", 1),
            ("log.roll.jitter.hours", HOUR_MS),
        ],
    ),
    (
        "segment.ms",
        &[("log.roll.ms", 1), ("log.roll.hours", HOUR_MS)],
    ),
    (
        "unclean.leader.election.enable",
        &[("unclean.leader.election.enable", 1)],
    ),
];

/// What a name stands for.
#[derive(Clone, Copy)]
pub enum Target {
    Node(&'static NodeOption),
    /// The node's default of a topic option.
    Topic(&'static TopicOption),
}

/// A name that can be set.
pub struct Setting {
    pub name: String,
    pub target: Target,
    /// The name under which the option is described, and changed while the node runs. An option
    /// has exactly one.
    pub primary: bool,
    /// What a value is multiplied by: hours and minutes become milliseconds.
    factor: i64,
    /// Of the names of one option the lowest wins where one source sets several, as in Kafka
    /// `log.retention.ms` before `log.retention.hours`.
    pub(crate) precedence: usize,
}

impl Setting {
    /// The setting of this name.
    pub fn find(name: &str) -> Option<&'static Setting> {
        let settings = settings();
        let index = settings
            .binary_search_by(|s| s.name.as_str().cmp(name))
            .ok()?;
        Some(&settings[index])
    }

    /// The primary setting of the same option.
    pub fn to_primary(&self) -> &'static Setting {
        let mut all = settings().iter().filter(|setting| setting.primary);
        all.find(|setting| setting.same_option(self))
            .expect("every option has a primary name")
    }

    pub fn kind(&self) -> ValueKind {
        match self.target {
            Target::Node(option) => option.kind,
            Target::Topic(option) => option.kind,
        }
    }

    pub fn doc(&self) -> &'static str {
        match self.target {
            Target::Node(option) => option.doc,
            Target::Topic(option) => option.doc,
        }
    }

    pub fn default(&self) -> &'static str {
        match self.target {
            Target::Node(option) => option.default,
            Target::Topic(option) => option.default,
        }
    }

    /// Whether a change needs a restart.
    pub fn restart(&self) -> bool {
        match self.target {
            Target::Node(option) => option.restart,
            Target::Topic(_) => !self.primary,
        }
    }

    /// What a value may be.
    pub fn accepts(&self) -> String {
        let accepts = match self.target {
            Target::Node(option) => option.accepts,
            Target::Topic(option) => option.accepts,
        };
        match self.factor {
            HOUR_MS => format!("hours; as {accepts}"),
            MINUTE_MS => format!("minutes; as {accepts}"),
            _ => accepts.to_owned(),
        }
    }

    /// The value as the option takes and shows it; `None` when it cannot be one.
    pub fn normal(&self, value: &str) -> Option<String> {
        let value = self.multiplied(value.trim())?;
        match self.target {
            Target::Node(option) => {
                let mut scratch = NodeConfig::default();
                (option.apply)(&mut scratch, &value)?;
                Some(option.value_in(&scratch))
            }
            Target::Topic(option) => {
                let mut scratch = LogConfig::default();
                scratch.set(option.name, &value).ok()?;
                Some(match option.effect {
                    Effect::InForce => option.value_in(&scratch),
                    Effect::Void => value,
                })
            }
        }
    }

    /// Puts a value in force. `None`: it is none; nothing has changed.
    pub(crate) fn apply(&self, config: &mut NodeConfig, value: &str) -> Option<()> {
        match self.target {
            Target::Node(option) => (option.apply)(config, value),
            Target::Topic(option) => config.topic_defaults.set(option.name, value).ok(),
        }
    }

    pub(crate) fn same_option(&self, other: &Setting) -> bool {
        match (self.target, other.target) {
            (Target::Node(a), Target::Node(b)) => a.name == b.name,
            (Target::Topic(a), Target::Topic(b)) => a.name == b.name,
            _ => false,
        }
    }

    fn multiplied(&self, value: &str) -> Option<String> {
        if self.factor == 1 {
            return Some(value.to_owned());
        }
        match value.parse::<i64>().ok()? {
            // No limit, in whatever unit.
            -1 => Some("-1".to_owned()),
            number => Some(number.checked_mul(self.factor)?.to_string()),
        }
    }
}

/// Every name that can be set, in order: the node's options, and for each topic option the node's
/// default under Kafka's name for it and as `topic.<option>`.
pub fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(make);
    &SETTINGS
}

fn make() -> Vec<Setting> {
    let node = OPTIONS.iter().map(|option| Setting {
        name: option.name.to_owned(),
        target: Target::Node(option),
        primary: true,
        factor: 1,
        precedence: 0,
    });
    let mut settings: Vec<Setting> = node.collect();
    for option in TOPIC_OPTIONS {
        let kafka = KAFKA_NAMES.iter().find(|(name, _)| *name == option.name);
        let kafka = kafka.map_or(&[][..], |(_, names)| *names);
        settings.push(Setting {
            name: format!("{TOPIC_PREFIX}{}", option.name),
            target: Target::Topic(option),
            primary: kafka.is_empty(),
            factor: 1,
            precedence: 0,
        });
        for (index, (name, factor)) in kafka.iter().enumerate() {
            settings.push(Setting {
                name: (*name).to_owned(),
                target: Target::Topic(option),
                primary: index == 0,
                factor: *factor,
                precedence: index + 1,
            });
        }
    }
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_option_has_one_primary_name() {
        let settings = settings();
        assert!(settings.windows(2).all(|pair| pair[0].name < pair[1].name));
        for setting in settings {
            let primary = setting.to_primary();
            assert!(primary.primary && primary.same_option(setting));
            assert!(Setting::find(&setting.name).is_some());
            // What an option shows it also takes, except under a coarser name.
            if setting.factor == 1 {
                let shown = setting.normal(setting.default());
                assert_eq!(
                    shown.as_deref(),
                    Some(setting.default()),
                    "{}",
                    setting.name
                );
            }
        }
        let primaries = settings.iter().filter(|setting| setting.primary).count();
        assert_eq!(primaries, OPTIONS.len() + TOPIC_OPTIONS.len());
        assert!(Setting::find("log.retention.ms").unwrap().primary);
        assert!(Setting::find("topic.flush.policy").unwrap().primary);
    }

    #[test]
    fn coarser_names_count_in_their_unit() {
        let hours = Setting::find("log.retention.hours").unwrap();
        assert_eq!(hours.normal("168").as_deref(), Some("604800000"));
        assert_eq!(hours.normal("-1").as_deref(), Some("-1"));
        assert_eq!(hours.normal("9223372036854775807"), None);
        assert_eq!(hours.normal("1.5"), None);
        let minutes = Setting::find("log.retention.minutes").unwrap();
        assert_eq!(minutes.normal("2").as_deref(), Some("120000"));
        assert!(minutes.restart() && !minutes.primary);
    }
}
