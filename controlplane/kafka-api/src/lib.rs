//! The Kafka requests that the control plane answers: one file per API key under `handlers`, the
//! operations behind them (which gRPC shares) under [`Api`].
#![forbid(unsafe_code)]

mod api;
mod configs;
mod dispatch;
mod handlers;
mod offsets_topic;
mod placement;
mod producer_ids;
mod quotas;
mod telemetry;
mod topics;

pub use api::{Addresses, Api, Settings};
pub use configs::{ConfigChange, ConfigOperation, ConfigTarget, ConfigValue, ResourceType};
pub use quotas::read_quota_limit;
pub use topics::{Count, NewTopicRequest, TopicMade, TopicReference};
