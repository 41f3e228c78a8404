//! The cluster's metadata as a pure state machine: commands in, outcomes and changes out.
//!
//! No clock, no input or output, no randomness: whatever needs those (topic ids, replica
//! assignments, cluster id) is decided by the proposer and travels in the command, so that every
//! voter that applies the same commands holds the same state.
#![forbid(unsafe_code)]

mod adoption;
mod command;
mod config_resource;
mod quota;
mod refusal;
mod snapshot;
mod state;
mod topic;
mod validate;

pub use adoption::{ADOPTION_DONE_FILE, ADOPTION_FILE, AdoptedTopic, Adoption};
pub use command::{Applied, Change, Command, NewTopic, NewTopicPartition, Outcome, TopicCreated};
pub use config_resource::{ConfigAlteration, ConfigResource, Configs};
pub use quota::{QuotaAlteration, QuotaEntity, QuotaKey, QuotaLimit, QuotaLimits, QuotaName};
pub use refusal::Refusal;
pub use snapshot::SnapshotError;
pub use state::{Broker, Metadata};
pub use topic::{Partition, Replica, Topic};
pub use validate::check_topic_configs;

/// Most partitions that one topic may have.
pub const PARTITIONS_PER_TOPIC_MAX: usize = 10_000;
/// Most partitions that one command may create (Kafka's own bound for one request).
pub const PARTITIONS_PER_COMMAND_MAX: usize = 10_000;
/// Most partitions that a cluster may have.
pub const PARTITIONS_MAX: usize = 200_000;
/// Most replicas that a partition may have: far above any use, it bounds the image's messages.
pub const REPLICAS_MAX: usize = 64;
/// Longest value of a topic option, bytes.
pub const CONFIG_VALUE_LENGTH_MAX: usize = 1_024;
/// Longest name of an option, bytes.
pub const CONFIG_NAME_LENGTH_MAX: usize = 255;
/// Most options that are set on one resource.
pub const CONFIG_ENTRIES_PER_RESOURCE_MAX: usize = 256;
/// Most resources other than topics that have options set.
pub const CONFIG_RESOURCES_MAX: usize = 10_000;
/// Most entities that have quotas.
pub const QUOTAS_MAX: usize = 10_000;
/// Longest name of a quota's entity, bytes.
pub const QUOTA_NAME_LENGTH_MAX: usize = 1_024;
/// Most producer ids that one command may take.
pub const PRODUCER_IDS_PER_COMMAND_MAX: u32 = 1_000_000;
/// Longest host name and rack of a broker, bytes.
pub const BROKER_TEXT_LENGTH_MAX: usize = 255;
/// The topic that Kafka keeps for its own metadata: no client may create it.
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";
