//! Options in force, with everything that gives them a value.

use super::groups::{self, GroupOption};
use super::resource::ConfigTarget;
use crate::api::{Api, Settings};
use precursor_config::{ConfigSource, Layer, NodeConfig, Setting, Target, settings, topic_default};
use precursor_metadata::{ConfigResource, Configs, Metadata, Refusal};
use precursor_model::{Effect, LogConfig, TOPIC_OPTIONS, TopicOption, ValueKind};
use precursor_telemetry::SubscriptionOption;

/// One option in force.
#[derive(Clone, Debug)]
pub struct ConfigValue {
    pub name: String,
    pub value: String,
    pub source: ConfigSource,
    pub kind: ValueKind,
    /// A change needs a restart.
    pub read_only: bool,
    pub doc: &'static str,
    /// What a value may be.
    pub accepts: String,
    /// Everything that gives the option a value, the one in force first; the last is its default
    /// (but for what was only set for the whole cluster).
    pub layers: Vec<Layer>,
}

impl ConfigValue {
    /// Whether the resource itself does not set it.
    pub fn is_default(&self) -> bool {
        self.source == ConfigSource::Default
    }
}

/// What topics have where they do not set an option, made once for many topics.
pub(crate) struct TopicDefaults {
    options: Vec<(&'static TopicOption, Vec<Layer>)>,
}

impl TopicDefaults {
    pub fn new(settings: &Settings, state: &Metadata) -> Self {
        let dynamic = settings.dynamic(state);
        let layers = |option: &'static TopicOption| {
            let setting = topic_default(option.name)?;
            Some((option, settings.node.layers(setting, dynamic)))
        };
        TopicDefaults {
            options: TOPIC_OPTIONS.iter().filter_map(layers).collect(),
        }
    }

    /// Every option in force for a topic on which `configs` are set, in order of name.
    pub fn values(&self, configs: &Configs) -> Vec<ConfigValue> {
        let value = |(option, defaults): &(&'static TopicOption, Vec<Layer>)| {
            let own = configs.get(option.name);
            let own = own
                .and_then(|value| shown(option, value))
                .map(|value| Layer {
                    name: option.name.to_owned(),
                    value,
                    source: ConfigSource::Topic,
                });
            let layers: Vec<Layer> = own.into_iter().chain(defaults.iter().cloned()).collect();
            ConfigValue {
                name: option.name.to_owned(),
                value: layers[0].value.clone(),
                source: layers[0].source,
                kind: option.kind,
                read_only: false,
                doc: option.doc,
                accepts: option.accepts.to_owned(),
                layers,
            }
        };
        self.options.iter().map(value).collect()
    }
}

/// A value as it is shown; `None` when the option no longer takes it, and it is not in force.
fn shown(option: &TopicOption, value: &str) -> Option<String> {
    let mut config = LogConfig::default();
    config.set(option.name, value).ok()?;
    Some(match option.effect {
        Effect::InForce => option.value_in(&config),
        Effect::Void => value.trim().to_owned(),
    })
}

impl Api {
    /// Every option of `target` that is in force, in order of name. For all brokers together: what
    /// was set for them.
    ///
    /// # Errors
    /// There is no such resource.
    pub fn describe_configs(&self, target: &ConfigTarget) -> Result<Vec<ConfigValue>, Refusal> {
        self.consensus.read(|state| {
            let defaults = TopicDefaults::new(&self.settings, state);
            self.describe_in(state, &defaults, target)
        })
    }

    pub(crate) fn describe_in(
        &self,
        state: &Metadata,
        defaults: &TopicDefaults,
        target: &ConfigTarget,
    ) -> Result<Vec<ConfigValue>, Refusal> {
        if let ConfigTarget::BrokerLogger(_) = target {
            // Checks the id; there is nothing else to tell.
            let _ = self.resolve(state, &ConfigTarget::Broker(self.settings.node.node_id))?;
            return Ok(vec![logger(&self.settings.in_force(state))]);
        }
        let resource = self.resolve(state, target)?;
        let set = state.configs(&resource);
        Ok(match resource {
            ConfigResource::Topic { .. } => defaults.values(set),
            ConfigResource::Broker { .. } => {
                let primaries = settings().iter().filter(|setting| setting.primary);
                primaries.map(|s| self.broker_value(state, s)).collect()
            }
            ConfigResource::Brokers => set.iter().filter_map(cluster_value).collect(),
            ConfigResource::ClientMetrics { .. } => {
                let options = precursor_telemetry::OPTIONS.iter();
                options
                    .map(|option| subscription_value(option, set))
                    .collect()
            }
            ConfigResource::Group { .. } => {
                let options = groups::OPTIONS.iter();
                options.map(|option| group_value(option, set)).collect()
            }
        })
    }

    fn broker_value(&self, state: &Metadata, setting: &'static Setting) -> ConfigValue {
        let dynamic = self.settings.dynamic(state);
        of_setting(setting, self.settings.node.layers(setting, dynamic))
    }
}

fn of_setting(setting: &'static Setting, layers: Vec<Layer>) -> ConfigValue {
    ConfigValue {
        name: setting.name.clone(),
        value: layers[0].value.clone(),
        source: layers[0].source,
        kind: setting.kind(),
        read_only: setting.restart(),
        doc: setting.doc(),
        accepts: setting.accepts(),
        layers,
    }
}

/// An option of a subscription. Kafka names no default behind a value.
fn subscription_value(option: &SubscriptionOption, set: &Configs) -> ConfigValue {
    let own = set.get(option.name).map(|value| Layer {
        name: option.name.to_owned(),
        value: value.clone(),
        source: ConfigSource::ClientMetrics,
    });
    let source = own.as_ref().map_or(ConfigSource::Default, |own| own.source);
    let value = own.as_ref().map_or(option.default, |own| &own.value);
    ConfigValue {
        name: option.name.to_owned(),
        value: value.to_owned(),
        source,
        kind: option.kind,
        read_only: false,
        doc: option.doc,
        accepts: option.accepts.to_owned(),
        layers: own.into_iter().collect(),
    }
}

/// An option of a group, with the broker's default behind it.
fn group_value(option: &GroupOption, set: &Configs) -> ConfigValue {
    let own = set.get(option.name).map(|value| Layer {
        name: option.name.to_owned(),
        value: value.clone(),
        source: ConfigSource::Group,
    });
    let default = Layer {
        name: option.of_broker.to_owned(),
        value: option.default.to_owned(),
        source: ConfigSource::Default,
    };
    let layers: Vec<Layer> = own.into_iter().chain([default]).collect();
    ConfigValue {
        name: option.name.to_owned(),
        value: layers[0].value.clone(),
        source: layers[0].source,
        kind: option.kind(),
        read_only: false,
        doc: option.doc,
        accepts: option.accepts(),
        layers,
    }
}

/// An option that was set for all brokers. Kafka tells nothing of those that were not.
fn cluster_value((name, value): (&String, &String)) -> Option<ConfigValue> {
    let setting = Setting::find(name)?;
    let layer = Layer {
        name: name.clone(),
        value: setting.normal(value)?,
        source: ConfigSource::DynamicDefaultBroker,
    };
    Some(of_setting(setting, vec![layer]))
}

/// The one logger, whose level is an option of the node.
fn logger(config: &NodeConfig) -> ConfigValue {
    let level = config.log_level.to_string().to_ascii_uppercase();
    let layer = Layer {
        name: "root".to_owned(),
        value: level.clone(),
        source: ConfigSource::StaticBroker,
    };
    let target = Setting::find("log.level").map(|setting| setting.target);
    let doc = match target {
        Some(Target::Node(option)) => option.doc,
        _ => "",
    };
    ConfigValue {
        name: layer.name.clone(),
        value: level,
        source: layer.source,
        kind: ValueKind::Text,
        read_only: true,
        doc,
        accepts: String::new(),
        layers: vec![layer],
    }
}
