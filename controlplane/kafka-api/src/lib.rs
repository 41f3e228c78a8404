//! The Kafka requests that the control plane answers: one file per API key under `handlers`, the
//! operations behind them (which gRPC shares) under [`Api`].
#![forbid(unsafe_code)]

mod api;
mod dispatch;
mod handlers;
mod offsets_topic;
mod placement;
mod producer_ids;
mod topic_config;
mod topics;

pub use api::{Addresses, Api, NodeOptionValue, OffsetsTopic, Settings};
pub use topic_config::{ConfigSource, TopicConfigValue, topic_config_values};
pub use topics::{Count, NewTopicRequest, TopicMade, TopicReference};
