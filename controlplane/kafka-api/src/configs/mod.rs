//! Options of topics, brokers, groups and subscriptions to metrics: what Kafka requests and gRPC share.

mod alter;
mod describe;
mod groups;
mod resource;

pub use alter::{ConfigChange, ConfigOperation};
pub use describe::ConfigValue;
pub use resource::{ConfigTarget, ResourceType};

pub(crate) use alter::check_lists;
pub(crate) use describe::TopicDefaults;
