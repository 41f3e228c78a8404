//! What options are set on, as clients name it.

use crate::api::Api;
use crate::topics::unknown_topic;
use precursor_metadata::{ConfigResource, Metadata, Refusal};
use precursor_model::{ErrorCode, validate_topic_name};

/// Kafka's `ConfigResource.Type`, with its numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum ResourceType {
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl ResourceType {
    pub fn from_code(code: i8) -> Option<ResourceType> {
        [
            ResourceType::Topic,
            ResourceType::Broker,
            ResourceType::BrokerLogger,
            ResourceType::ClientMetrics,
            ResourceType::Group,
        ]
        .into_iter()
        .find(|known| *known as i8 == code)
    }
}

/// A resource by its type and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigTarget {
    Topic(String),
    Broker(i32),
    /// Every broker that does not have an option to itself.
    Brokers,
    BrokerLogger(i32),
    ClientMetrics(String),
    Group(String),
}

impl ConfigTarget {
    /// Reads what a request names.
    ///
    /// # Errors
    /// There is no such type, or no such name is possible.
    pub fn read(resource_type: i8, name: &str) -> Result<ConfigTarget, Refusal> {
        let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
        let id = || {
            name.parse::<i32>()
                .ok()
                .filter(|id| *id >= 0)
                .ok_or_else(|| {
                    let shown: String = name.chars().take(64).collect();
                    invalid(format!("Broker id must be an integer, but it is: {shown}"))
                })
        };
        match ResourceType::from_code(resource_type) {
            Some(ResourceType::Topic) => {
                validate_topic_name(name).map_err(|error| {
                    Refusal::new(ErrorCode::InvalidTopicException, error.to_string())
                })?;
                Ok(ConfigTarget::Topic(name.to_owned()))
            }
            Some(ResourceType::Broker) if name.is_empty() => Ok(ConfigTarget::Brokers),
            Some(ResourceType::Broker) => id().map(ConfigTarget::Broker),
            Some(ResourceType::BrokerLogger) => id().map(ConfigTarget::BrokerLogger),
            Some(ResourceType::ClientMetrics) if name.is_empty() => Err(invalid(
                "Default client metrics resources are not allowed.".into(),
            )),
            Some(ResourceType::ClientMetrics) if name.len() > 255 => Err(invalid(
                "The name of a client metrics resource has at most 255 bytes.".into(),
            )),
            Some(ResourceType::ClientMetrics) => Ok(ConfigTarget::ClientMetrics(name.to_owned())),
            Some(ResourceType::Group) if name.is_empty() => {
                Err(invalid("Default group resources are not allowed.".into()))
            }
            Some(ResourceType::Group) => Ok(ConfigTarget::Group(name.to_owned())),
            None => Err(invalid(format!("Unexpected resource type {resource_type}"))),
        }
    }
}

impl Api {
    /// Where the metadata keeps the options of a target.
    ///
    /// # Errors
    /// There is no such topic or broker, or its options are not kept there.
    pub(crate) fn resolve(
        &self,
        state: &Metadata,
        target: &ConfigTarget,
    ) -> Result<ConfigResource, Refusal> {
        match target {
            ConfigTarget::Topic(name) => {
                let topic = state.topic_named(name).ok_or_else(unknown_topic)?;
                Ok(ConfigResource::Topic { id: topic.id })
            }
            ConfigTarget::Broker(id) | ConfigTarget::BrokerLogger(id)
                if *id != self.settings.node.node_id =>
            {
                Err(Refusal::new(
                    ErrorCode::InvalidRequest,
                    format!(
                        "Unexpected broker id, expected {} or empty string, but received {id}",
                        self.settings.node.node_id
                    ),
                ))
            }
            ConfigTarget::Broker(id) => Ok(ConfigResource::Broker { id: *id }),
            ConfigTarget::Brokers => Ok(ConfigResource::Brokers),
            ConfigTarget::BrokerLogger(_) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "The levels of loggers are not set one by one; the broker's option log.level sets \
                 them all.",
            )),
            ConfigTarget::ClientMetrics(name) => {
                Ok(ConfigResource::ClientMetrics { name: name.clone() })
            }
            ConfigTarget::Group(name) => Ok(ConfigResource::Group { name: name.clone() }),
        }
    }
}
