//! The state as bytes, for snapshots: JSON, so that a person can read it and a later version add to
//! it.

use crate::config_resource::{ConfigResource, Configs};
use crate::quota::{QuotaEntity, QuotaLimits};
use crate::state::{Broker, Metadata};
use crate::topic::Topic;
use serde::{Deserialize, Serialize};

/// Raised when a state written by an earlier version could no longer be read as it is.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    format: u32,
    version: u64,
    cluster_id: Option<String>,
    brokers: Vec<Broker>,
    topics: Vec<Topic>,
    next_log_uid: u64,
    next_producer_id: i64,
    // Later than the format; JSON's keys are texts, hence the lists.
    #[serde(default)]
    configs: Vec<(ConfigResource, Configs)>,
    #[serde(default)]
    quotas: Vec<(QuotaEntity, QuotaLimits)>,
}

/// Why bytes are not a state.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the metadata snapshot cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the metadata snapshot has format {found}; this version knows {FORMAT}")]
    UnknownFormat { found: u32 },
    #[error("the metadata snapshot contradicts itself: {0}")]
    Inconsistent(String),
}

impl Metadata {
    /// The whole state as bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let snapshot = Snapshot {
            format: FORMAT,
            version: self.version,
            cluster_id: self.cluster_id.clone(),
            brokers: self.brokers.values().cloned().collect(),
            topics: self.topics.values().cloned().collect(),
            next_log_uid: self.next_log_uid,
            next_producer_id: self.next_producer_id,
            configs: self.configs.clone().into_iter().collect(),
            quotas: self.quotas.clone().into_iter().collect(),
        };
        serde_json::to_vec(&snapshot).expect("plain data with text keys is always JSON")
    }

    /// The state that [`Metadata::to_snapshot`] wrote.
    ///
    /// # Errors
    /// The bytes are not JSON of the expected shape and format, or break an invariant.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Probe {
            format: u32,
        }
        let probe: Probe = serde_json::from_slice(bytes)?;
        if probe.format != FORMAT {
            return Err(SnapshotError::UnknownFormat {
                found: probe.format,
            });
        }
        let snapshot: Snapshot = serde_json::from_slice(bytes)?;
        let mut state = Metadata::default();
        state.version = snapshot.version;
        state.cluster_id = snapshot.cluster_id;
        state.brokers = snapshot.brokers.into_iter().map(|b| (b.id, b)).collect();
        state.next_log_uid = snapshot.next_log_uid;
        state.next_producer_id = snapshot.next_producer_id;
        state.configs = snapshot.configs.into_iter().collect();
        state.quotas = snapshot.quotas.into_iter().collect();
        for topic in snapshot.topics {
            state.insert_topic(topic);
        }
        state
            .check_invariants()
            .map_err(SnapshotError::Inconsistent)?;
        Ok(state)
    }
}
