//! The words every room shares: ids, offsets, epochs and Kafka's error codes. No dependencies.
#![forbid(unsafe_code)]

mod coordinator;
mod error;
mod id;
mod log_config;
mod nearest;
mod operations;
mod topic_name;
mod topic_options;
mod value_kind;

pub use coordinator::{OFFSETS_TOPIC, coordinator_partition};
pub use error::ErrorCode;
pub use id::{BrokerId, LogUid, PartitionIndex, TopicId, TopicPartition};
pub use log_config::{
    CleanupPolicy, ColdCompression, CompressionType, ConfigError, Effect, FlushPolicy, LogConfig,
    Ratio, TimestampType, TopicOption,
};
pub use nearest::{edit_distance, nearest_name};
pub use operations::Operations;
pub use topic_name::{InvalidTopicName, TOPIC_NAME_LENGTH_MAX, validate_topic_name};
pub use topic_options::TOPIC_OPTIONS;
pub use value_kind::ValueKind;

/// Position of a record in a partition: 0, 1, 2 … dense where not compacted.
pub type Offset = i64;

/// Counts a partition's leaderships; a batch carries the epoch it was appended in (KIP-101).
pub type LeaderEpoch = i32;
