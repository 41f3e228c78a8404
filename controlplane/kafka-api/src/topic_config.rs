//! A topic's options in force and where each comes from.

use precursor_metadata::Topic;
use precursor_model::{LogConfig, TOPIC_OPTIONS, TopicOption};

/// Kafka's `ConfigSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// Set on the topic.
    Topic = 1,
    /// Set for the node, as the default of its topics.
    StaticBroker = 4,
    /// Nobody set it.
    Default = 5,
}

/// One option in force.
#[derive(Clone)]
pub struct TopicConfigValue {
    pub option: &'static TopicOption,
    pub value: String,
    pub source: ConfigSource,
}

/// Every option in force for `topic`, in order of name.
pub fn topic_config_values(topic: &Topic, defaults: &LogConfig) -> Vec<TopicConfigValue> {
    let config = topic.log_config(defaults);
    TOPIC_OPTIONS
        .iter()
        .map(|option| {
            let source = if topic.configs.contains_key(option.name) {
                ConfigSource::Topic
            } else if option.value_in(defaults) != option.default {
                ConfigSource::StaticBroker
            } else {
                ConfigSource::Default
            };
            TopicConfigValue {
                option,
                value: option.value_in(&config),
                source,
            }
        })
        .collect()
}
