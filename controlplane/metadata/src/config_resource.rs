//! Options that were set while the cluster runs, by what they were set on.

use crate::command::Change;
use crate::refusal::Refusal;
use crate::state::Metadata;
use crate::topic::topic_id_text;
use crate::validate::check_topic_configs;
use crate::{
    CONFIG_ENTRIES_PER_RESOURCE_MAX, CONFIG_NAME_LENGTH_MAX, CONFIG_RESOURCES_MAX,
    CONFIG_VALUE_LENGTH_MAX,
};
use precursor_model::{ErrorCode, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What options can be set on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConfigResource {
    Topic {
        #[serde(with = "topic_id_text")]
        id: TopicId,
    },
    /// One broker.
    Broker { id: i32 },
    /// Every broker that does not have the option to itself.
    Brokers,
    /// A subscription to clients' metrics (KIP-714).
    ClientMetrics { name: String },
    /// A consumer group.
    Group { name: String },
}

/// New values of some options of one resource; `None` takes the resource's own value away. The
/// proposer has checked names and values of everything but topics, whose options are checked here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigAlteration {
    pub resource: ConfigResource,
    pub values: BTreeMap<String, Option<String>>,
}

/// Everything that is set on one resource.
pub type Configs = BTreeMap<String, String>;

impl Metadata {
    /// What is set on a resource itself; empty when nothing is.
    pub fn configs(&self, resource: &ConfigResource) -> &Configs {
        static NOTHING: Configs = Configs::new();
        match resource {
            ConfigResource::Topic { id } => self.topic(*id).map(|topic| &topic.configs),
            other => self.configs.get(other),
        }
        .unwrap_or(&NOTHING)
    }

    /// Resources other than topics that have an option set, in order.
    pub fn config_resources(&self) -> impl Iterator<Item = (&ConfigResource, &Configs)> {
        self.configs.iter()
    }

    /// What would be set on the resource after the alteration.
    ///
    /// # Errors
    /// Kafka's refusal.
    pub fn check_alteration(&self, alteration: &ConfigAlteration) -> Result<Configs, Refusal> {
        let resource = &alteration.resource;
        let mut configs = self.configs(resource).clone();
        for (name, value) in &alteration.values {
            match value {
                Some(value) => drop(configs.insert(name.clone(), value.clone())),
                None => drop(configs.remove(name)),
            }
        }
        if let ConfigResource::Topic { id } = resource {
            if self.topic(*id).is_none() {
                return Err(Refusal::new(
                    ErrorCode::UnknownTopicOrPartition,
                    "The topic does not exist.",
                ));
            }
            check_topic_configs(&configs)?;
            return Ok(configs);
        }
        let long = |(name, value): (&String, &String)| {
            name.len() > CONFIG_NAME_LENGTH_MAX || value.len() > CONFIG_VALUE_LENGTH_MAX
        };
        if configs.len() > CONFIG_ENTRIES_PER_RESOURCE_MAX || configs.iter().any(long) {
            return Err(Refusal::new(
                ErrorCode::InvalidConfig,
                format!(
                    "A resource has at most {CONFIG_ENTRIES_PER_RESOURCE_MAX} options, each with \
                     a value of at most {CONFIG_VALUE_LENGTH_MAX} bytes."
                ),
            ));
        }
        if self.configs.len() >= CONFIG_RESOURCES_MAX && !self.configs.contains_key(resource) {
            return Err(Refusal::new(
                ErrorCode::PolicyViolation,
                format!("Options are set on at most {CONFIG_RESOURCES_MAX} resources."),
            ));
        }
        Ok(configs)
    }

    pub(crate) fn alter_configs(
        &mut self,
        alteration: &ConfigAlteration,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let configs = self.check_alteration(alteration)?;
        let resource = &alteration.resource;
        if configs == *self.configs(resource) {
            return Ok(());
        }
        changes.push(match resource {
            ConfigResource::Topic { id } => Change::Topic(*id),
            other => Change::Configs(other.clone()),
        });
        match resource {
            ConfigResource::Topic { id } => self.set_topic_configs(*id, configs),
            other if configs.is_empty() => drop(self.configs.remove(other)),
            other => drop(self.configs.insert(other.clone(), configs)),
        }
        Ok(())
    }
}
