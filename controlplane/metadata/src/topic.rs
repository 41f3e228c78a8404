//! A topic, its partitions and their replicas.

use precursor_model::{LogConfig, LogUid, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A topic of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    #[serde(with = "topic_id_text")]
    pub id: TopicId,
    pub name: String,
    pub internal: bool,
    /// By partition index, from 0.
    pub partitions: Vec<Partition>,
    /// Options that were set on the topic itself; the rest is at the broker's defaults.
    pub configs: BTreeMap<String, String>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// A broker's id; -1 when there is no leader.
    pub leader: i32,
    pub leader_epoch: i32,
    /// In order of preference.
    pub replicas: Vec<Replica>,
    /// Broker ids of the in-sync replicas.
    pub isr: Vec<i32>,
}

/// One replica: a log on a broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    pub broker: i32,
    #[serde(with = "log_uid_number")]
    pub log: LogUid,
    /// The data plane's thread that owns the log, while that broker has so many.
    pub shard: u16,
}

impl Topic {
    pub fn replication_factor(&self) -> usize {
        self.partitions.first().map_or(0, |p| p.replicas.len())
    }

    /// The options in force: the broker's `defaults`, overridden by the topic's own.
    pub fn log_config(&self, defaults: &LogConfig) -> LogConfig {
        let mut config = defaults.clone();
        for (name, value) in &self.configs {
            // Checked when the topic was made. A value that a later version no longer takes
            // leaves the default in force rather than the topic unserved.
            let _ = config.set(name, value);
        }
        config
    }
}

/// Topic ids as Kafka prints them: 22 characters of URL-safe base64.
pub(crate) mod topic_id_text {
    use precursor_model::TopicId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(id: &TopicId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TopicId, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

mod log_uid_number {
    use precursor_model::LogUid;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(uid: &LogUid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(uid.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogUid, D::Error> {
        match u64::deserialize(deserializer)? {
            0 => Err(D::Error::custom("a log's number is never 0")),
            uid => Ok(LogUid(uid)),
        }
    }
}
