//! What a topic may be. Messages follow Kafka's controller, so that people find them explained.

use crate::command::{NewTopic, NewTopicPartition};
use crate::refusal::Refusal;
use crate::state::{Metadata, too_many_partitions, unknown_topic};
use crate::{
    CLUSTER_METADATA_TOPIC, CONFIG_VALUE_LENGTH_MAX, PARTITIONS_MAX, PARTITIONS_PER_COMMAND_MAX,
    PARTITIONS_PER_TOPIC_MAX, REPLICAS_MAX,
};
use precursor_model::{ErrorCode, LogConfig, TopicId, validate_topic_name};
use std::collections::{BTreeMap, BTreeSet};

impl Metadata {
    /// Whether a topic of this name may be made now: its form, its uniqueness, and the collision
    /// of `.` with `_` (both become `_` in metric names, so Kafka refuses the second one).
    ///
    /// # Errors
    /// Kafka's refusal.
    pub fn check_topic_name(&self, name: &str) -> Result<(), Refusal> {
        validate_topic_name(name).map_err(|invalid| {
            Refusal::new(ErrorCode::InvalidTopicException, invalid.to_string())
        })?;
        if name == CLUSTER_METADATA_TOPIC {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited."),
            ));
        }
        if self.topic_named(name).is_some() {
            return Err(Refusal::new(
                ErrorCode::TopicAlreadyExists,
                format!("Topic '{name}' already exists."),
            ));
        }
        if let Some(other) = self.colliding_name(name) {
            return Err(Refusal::new(
                ErrorCode::InvalidTopicException,
                format!("Topic '{name}' collides with existing topic: {other}"),
            ));
        }
        Ok(())
    }

    /// Whether the topic could be made now; the check of `validate_only` requests and of the
    /// command itself.
    ///
    /// # Errors
    /// Kafka's refusal.
    pub fn check_new_topic(&self, topic: &NewTopic) -> Result<(), Refusal> {
        self.check_topic_name(&topic.name)?;
        if topic.id == TopicId::ZERO || self.topic(topic.id).is_some() {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("The topic id {} cannot be given to a topic.", topic.id),
            ));
        }
        if topic.partitions.is_empty() {
            return Err(Refusal::new(
                ErrorCode::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            ));
        }
        self.check_partitions(0, &topic.partitions, None)?;
        check_topic_configs(&topic.configs)
    }

    /// Whether the partitions could be added to the topic now; the check of `validate_only` requests
    /// and of the command itself.
    ///
    /// # Errors
    /// Kafka's refusal.
    pub fn check_growth(&self, id: TopicId, added: &[NewTopicPartition]) -> Result<(), Refusal> {
        let topic = self.topic(id).ok_or_else(|| unknown_topic(id))?;
        if added.is_empty() {
            return Err(Refusal::new(
                ErrorCode::InvalidPartitions,
                "The number of partitions must grow.",
            ));
        }
        if added.len() > PARTITIONS_PER_COMMAND_MAX {
            return Err(too_many_partitions());
        }
        let factor = Some(topic.replication_factor());
        self.check_partitions(topic.partitions.len(), added, factor)
    }

    /// Whether `added` partitions may follow the `present` ones of a topic, all with as many
    /// replicas as the topic has (`factor`) or, for a new topic, as the first of them.
    fn check_partitions(
        &self,
        present: usize,
        added: &[NewTopicPartition],
        mut factor: Option<usize>,
    ) -> Result<(), Refusal> {
        if present + added.len() > PARTITIONS_PER_TOPIC_MAX {
            return Err(Refusal::new(
                ErrorCode::InvalidPartitions,
                format!("A topic has at most {PARTITIONS_PER_TOPIC_MAX} partitions."),
            ));
        }
        if self.partition_count() + added.len() > PARTITIONS_MAX {
            return Err(Refusal::new(
                ErrorCode::PolicyViolation,
                format!("The cluster has at most {PARTITIONS_MAX} partitions."),
            ));
        }
        for partition in added {
            self.check_replicas(partition, &mut factor)?;
        }
        Ok(())
    }

    fn check_replicas(
        &self,
        partition: &NewTopicPartition,
        factor: &mut Option<usize>,
    ) -> Result<(), Refusal> {
        let refuse =
            |message: String| Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
        let count = partition.replicas.len();
        if count == 0 {
            return refuse(
                "The manual partition assignment includes an empty replica list.".into(),
            );
        }
        if count > REPLICAS_MAX {
            return refuse(format!("A partition has at most {REPLICAS_MAX} replicas."));
        }
        let mut seen = BTreeSet::new();
        for (broker, _) in &partition.replicas {
            if !seen.insert(*broker) {
                return refuse(format!(
                    "The manual partition assignment includes the broker {broker} more than once."
                ));
            }
            if self.broker(*broker).is_none() {
                return refuse(format!(
                    "The manual partition assignment includes broker {broker}, but no such broker \
                     is registered."
                ));
            }
        }
        match *factor {
            None => *factor = Some(count),
            Some(expected) if expected == count => {}
            Some(expected) => {
                return refuse(format!(
                    "The manual partition assignment includes a partition with {count} \
                     replica(s), but this is not consistent with previous partitions, which have \
                     {expected} replica(s)."
                ));
            }
        }
        Ok(())
    }
}

/// Whether the options of a topic and their values are known and within bounds.
///
/// # Errors
/// INVALID_CONFIG.
pub fn check_topic_configs(configs: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let mut config = LogConfig::default();
    for (name, value) in configs {
        if value.len() > CONFIG_VALUE_LENGTH_MAX {
            return Err(Refusal::new(
                ErrorCode::InvalidConfig,
                format!("The value is longer than {CONFIG_VALUE_LENGTH_MAX} bytes."),
            ));
        }
        config
            .set(name, value)
            .map_err(|error| Refusal::new(ErrorCode::InvalidConfig, error.to_string()))?;
    }
    Ok(())
}
