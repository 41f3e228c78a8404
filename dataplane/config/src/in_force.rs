//! What is in force when options have been changed while the node runs.

use std::collections::BTreeMap;
use std::fmt;

use precursor_model::{Effect, TOPIC_OPTIONS, nearest_name};

use crate::node::NodeConfig;
use crate::options::OPTIONS;
use crate::setting::{Setting, TOPIC_PREFIX, Target, settings};

/// Options that were set while the cluster ran, by their primary names.
#[derive(Clone, Copy)]
pub struct Dynamic<'a> {
    /// For this node alone.
    pub node: &'a BTreeMap<String, String>,
    /// For every node that does not have the option to itself.
    pub cluster: &'a BTreeMap<String, String>,
}

/// Where a value comes from: Kafka's `ConfigSource`, with its numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// Set on the topic.
    Topic = 1,
    /// Set for this node while it runs.
    DynamicBroker = 2,
    /// Set for the whole cluster while it runs.
    DynamicDefaultBroker = 3,
    /// Configuration file, environment or command line.
    StaticBroker = 4,
    /// Nobody set it.
    Default = 5,
    /// The level of a logger, set while the node runs.
    DynamicBrokerLogger = 6,
    /// Set on a subscription of client metrics (KIP-714).
    ClientMetrics = 7,
    /// Set on a consumer group.
    Group = 8,
}

/// One place that gives an option a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The name that it was set under.
    pub name: String,
    pub value: String,
    pub source: ConfigSource,
}

/// Why an option was not changed while the node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeError {
    Unknown {
        name: String,
        nearest: String,
    },
    /// Needs a restart.
    Static {
        name: String,
        instead: Option<String>,
    },
    BadValue {
        name: String,
        value: String,
        accepts: String,
    },
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeError::Unknown { name, nearest } => {
                write!(
                    f,
                    "Unknown option '{}'; did you mean '{nearest}'?",
                    shown(name)
                )
            }
            ChangeError::Static {
                name,
                instead: None,
            } => write!(
                f,
                "Cannot update '{name}' dynamically: set it in the configuration and restart."
            ),
            ChangeError::Static {
                name,
                instead: Some(instead),
            } => {
                write!(f, "Cannot update '{name}' dynamically; '{instead}' can be.")
            }
            ChangeError::BadValue {
                name,
                value,
                accepts,
            } => write!(
                f,
                "Option '{name}' cannot be '{}': it takes {accepts}.",
                shown(value)
            ),
        }
    }
}

impl std::error::Error for ChangeError {}

/// A client's text within a message, not longer than a message should be.
fn shown(text: &str) -> &str {
    const SHOWN_MAX: usize = 200;
    let mut end = text.len().min(SHOWN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The primary setting that a change of `name` concerns.
///
/// # Errors
/// There is no such option, or it cannot change while the node runs.
pub fn changeable(name: &str) -> Result<&'static Setting, ChangeError> {
    let Some(setting) = Setting::find(name) else {
        let known = settings().iter().map(|setting| setting.name.as_str());
        return Err(ChangeError::Unknown {
            name: name.to_owned(),
            nearest: nearest_name(name, known).to_owned(),
        });
    };
    let primary = setting.to_primary();
    // `topic.retention.ms` is another spelling; `log.retention.hours` counts otherwise.
    if setting.restart() && setting.precedence != 0 || primary.restart() {
        let instead = (!primary.restart()).then(|| primary.name.clone());
        return Err(ChangeError::Static {
            name: name.to_owned(),
            instead,
        });
    }
    Ok(primary)
}

impl Setting {
    /// The value in its normal form, for a change while the node runs.
    ///
    /// # Errors
    /// It is outside the option's bounds.
    pub fn checked(&self, value: &str) -> Result<String, ChangeError> {
        self.normal(value).ok_or_else(|| ChangeError::BadValue {
            name: self.name.clone(),
            value: value.to_owned(),
            accepts: self.accepts(),
        })
    }
}

impl NodeConfig {
    /// The configuration in force: this one, with what was set while the node runs. A value that
    /// this version does not take leaves what is below it in force.
    pub fn with_dynamic(&self, dynamic: Dynamic<'_>) -> NodeConfig {
        let mut config = self.clone();
        for (name, value) in dynamic.cluster.iter().chain(dynamic.node) {
            if let Ok(setting) = changeable(name) {
                let _ = setting.apply(&mut config, value);
            }
        }
        config
    }

    /// Everything that gives the option of this primary setting a value, the one in force first;
    /// the last one is its default. Never empty.
    pub fn layers(&self, setting: &Setting, dynamic: Dynamic<'_>) -> Vec<Layer> {
        let mut layers = Vec::new();
        let dynamic = [
            (dynamic.node, ConfigSource::DynamicBroker),
            (dynamic.cluster, ConfigSource::DynamicDefaultBroker),
        ];
        for (values, source) in dynamic {
            if let Some(value) = values.get(&setting.name).and_then(|v| setting.normal(v)) {
                let name = setting.name.clone();
                layers.push(Layer {
                    name,
                    value,
                    source,
                });
            }
        }
        for stated in self.stated_for(setting) {
            layers.push(Layer {
                name: stated.setting.name.clone(),
                value: stated.value.clone(),
                source: ConfigSource::StaticBroker,
            });
        }
        layers.push(Layer {
            name: setting.name.clone(),
            value: setting.default().to_owned(),
            source: ConfigSource::Default,
        });
        layers
    }

    /// The options that a running data plane follows, with their values in this configuration:
    /// those of shards, and as `topic.<option>` the defaults of topics.
    pub fn data_plane_values(&self) -> Vec<(String, String)> {
        let node = OPTIONS.iter().filter(|option| !option.restart);
        let node = node.map(|option| (option.name.to_owned(), option.value_in(self)));
        let topic = TOPIC_OPTIONS.iter().filter(|o| o.effect == Effect::InForce);
        let topic = topic.map(|option| {
            let value = option.value_in(&self.topic_defaults);
            (format!("{TOPIC_PREFIX}{}", option.name), value)
        });
        node.chain(topic).collect()
    }
}

/// The primary setting of a topic option's default on the node.
pub fn topic_default(option: &str) -> Option<&'static Setting> {
    let primaries = settings().iter().filter(|setting| setting.primary);
    let mut topic = primaries
        .filter(|setting| matches!(setting.target, Target::Topic(target) if target.name == option));
    topic.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_node_comes_before_the_cluster_and_both_before_the_configuration() {
        let mut base = NodeConfig::default();
        base.set("log.retention.hours", "1", Source::CommandLine)
            .unwrap();
        base.set("log.retention.minutes", "2", Source::CommandLine)
            .unwrap();
        assert_eq!(base.topic_defaults.retention_ms, 120_000);
        let cluster = map(&[("log.retention.ms", "7"), ("num.partitions", "4")]);
        let node = map(&[("log.retention.ms", "8"), ("gone.option", "1")]);
        let dynamic = Dynamic {
            node: &node,
            cluster: &cluster,
        };
        let config = base.with_dynamic(dynamic);
        assert_eq!(config.topic_defaults.retention_ms, 8);
        assert_eq!(config.num_partitions, 4);
        let setting = Setting::find("log.retention.ms").unwrap();
        let layers: Vec<_> = base
            .layers(setting, dynamic)
            .into_iter()
            .map(|layer| (layer.name, layer.value, layer.source))
            .collect();
        let layer = |n: &str, v: &str, s| (n.to_owned(), v.to_owned(), s);
        assert_eq!(
            layers,
            [
                layer("log.retention.ms", "8", ConfigSource::DynamicBroker),
                layer("log.retention.ms", "7", ConfigSource::DynamicDefaultBroker),
                layer(
                    "log.retention.minutes",
                    "120000",
                    ConfigSource::StaticBroker
                ),
                layer("log.retention.hours", "3600000", ConfigSource::StaticBroker),
                layer("log.retention.ms", "604800000", ConfigSource::Default),
            ]
        );
    }

    #[test]
    fn a_later_source_comes_before_a_finer_name() {
        let mut config = NodeConfig::default();
        let environment = Source::Environment {
            variable: "X".into(),
        };
        config.set("log.retention.ms", "5", environment).unwrap();
        config
            .set("log.retention.hours", "1", Source::CommandLine)
            .unwrap();
        assert_eq!(config.topic_defaults.retention_ms, 3_600_000);
        config
            .set("topic.retention.ms", "9", Source::CommandLine)
            .unwrap();
        assert_eq!(config.topic_defaults.retention_ms, 9);
    }

    #[test]
    fn what_cannot_change_says_so() {
        let error = |name: &str| changeable(name).err().unwrap().to_string();
        assert!(error("node.id").contains("restart"));
        assert!(error("log.retention.hours").contains("'log.retention.ms'"));
        assert!(error("log.retentoin.ms").contains("did you mean 'log.retention.ms'"));
        assert!(error(&"é".repeat(100_000)).len() < 300);
        assert_eq!(
            changeable("topic.retention.ms").unwrap().name,
            "log.retention.ms"
        );
        let setting = changeable("num.partitions").unwrap();
        assert!(
            setting
                .checked("0")
                .unwrap_err()
                .to_string()
                .contains("from 1")
        );
        assert!(
            setting
                .checked(&"9".repeat(1 << 20))
                .unwrap_err()
                .to_string()
                .len()
                < 400
        );
    }

    #[test]
    fn the_data_plane_is_told_values_that_it_can_read() {
        for (name, value) in NodeConfig::default().data_plane_values() {
            let setting = Setting::find(&name).unwrap();
            assert_eq!(setting.normal(&value), Some(value), "{name}");
        }
        assert_eq!(
            topic_default("max.message.bytes").unwrap().name,
            "message.max.bytes"
        );
    }
}
