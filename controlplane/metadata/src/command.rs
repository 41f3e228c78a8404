//! What can be asked of the metadata, and what comes of it.

use crate::config_resource::{ConfigAlteration, ConfigResource};
use crate::quota::{QuotaAlteration, QuotaEntity};
use crate::refusal::Refusal;
use crate::state::Broker;
use crate::topic::topic_id_text;
use precursor_model::TopicId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A change that was agreed on; written to the Raft log as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Names the cluster, once.
    SetClusterId { cluster_id: String },
    /// Adds a broker or replaces its address.
    RegisterBroker { broker: Broker },
    /// Creates topics; each one succeeds or fails by itself.
    CreateTopics { topics: Vec<NewTopic> },
    /// Deletes topics; each one succeeds or fails by itself.
    DeleteTopics {
        #[serde(with = "topic_ids_text")]
        ids: Vec<TopicId>,
    },
    /// Adds partitions to a topic: its present ones stay as they are.
    CreatePartitions {
        #[serde(with = "topic_id_text")]
        topic: TopicId,
        partitions: Vec<NewTopicPartition>,
    },
    /// Takes `count` producer ids that nobody was ever given.
    AllocateProducerIds { count: u32 },
    /// Changes options; each resource succeeds or fails by itself.
    AlterConfigs { alterations: Vec<ConfigAlteration> },
    /// Changes client quotas; each entity succeeds or fails by itself.
    AlterQuotas { alterations: Vec<QuotaAlteration> },
}

/// A line for logs: what is asked, not every partition of it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::SetClusterId { cluster_id } => write!(f, "set cluster id {cluster_id}"),
            Command::RegisterBroker { broker } => write!(f, "register broker {}", broker.id),
            Command::CreateTopics { topics } => {
                let first = topics.first().map_or("", |topic| &topic.name);
                write!(f, "create {} topic(s), the first '{first}'", topics.len())
            }
            Command::DeleteTopics { ids } => write!(f, "delete {} topic(s)", ids.len()),
            Command::CreatePartitions { topic, partitions } => {
                write!(f, "add {} partition(s) to {topic}", partitions.len())
            }
            Command::AllocateProducerIds { count } => write!(f, "take {count} producer ids"),
            Command::AlterConfigs { alterations } => {
                write!(f, "change options of {} resource(s)", alterations.len())
            }
            Command::AlterQuotas { alterations } => {
                write!(f, "change quotas of {} entities", alterations.len())
            }
        }
    }
}

/// A topic to be made. Everything random or dependent on the moment was decided by the proposer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTopic {
    #[serde(with = "topic_id_text")]
    pub id: TopicId,
    pub name: String,
    pub internal: bool,
    pub partitions: Vec<NewTopicPartition>,
    pub configs: BTreeMap<String, String>,
}

/// Where the replicas of a new partition go: broker and shard, in order of preference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTopicPartition {
    pub replicas: Vec<(i32, u16)>,
    /// The first one; above 0 where the log comes from elsewhere.
    #[serde(default)]
    pub leader_epoch: i32,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// An entry of the log that carries no command.
    Nothing,
    /// One answer for the whole command.
    Done(Result<(), Refusal>),
    /// For each topic of `CreateTopics`, in its order.
    TopicsCreated(Vec<Result<TopicCreated, Refusal>>),
    /// For each topic of `DeleteTopics`, in its order: the name that it had.
    TopicsDeleted(Vec<Result<String, Refusal>>),
    /// The first of the producer ids that were taken.
    ProducerIds(Result<i64, Refusal>),
    /// For each alteration of `AlterConfigs` or `AlterQuotas`, in its order.
    Altered(Vec<Result<(), Refusal>>),
}

/// A topic that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicCreated {
    #[serde(with = "topic_id_text")]
    pub id: TopicId,
}

/// What the data plane's image has to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Cluster,
    Broker(i32),
    /// Made or changed.
    Topic(TopicId),
    TopicRemoved(TopicId),
    /// Options of something other than a topic.
    Configs(ConfigResource),
    Quota(QuotaEntity),
    /// Anything may have changed: a snapshot took the state's place.
    Everything,
}

/// The effect of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub outcome: Outcome,
    pub changes: Vec<Change>,
    /// The state's version after the command.
    pub version: u64,
}

mod topic_ids_text {
    use precursor_model::TopicId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(ids: &[TopicId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<TopicId>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| text.parse().map_err(D::Error::custom))
            .collect()
    }
}
