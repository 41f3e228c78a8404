//! What the rest of the control plane may know about the data plane.

use precursor_model::{ErrorCode, LogUid};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// More offline logs than a node can have are a peer's mistake.
const LOGS_OFFLINE_MAX: usize = precursor_metadata::PARTITIONS_MAX;

/// One shard as the control plane sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardView {
    /// It has said hello to this control plane.
    pub connected: bool,
    /// The image that it said it serves; 0: none yet.
    pub image_version: u64,
    /// Of the data plane that it belongs to; 0: it has not said hello.
    pub generation: u64,
}

/// What the bridge has counted since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeCounts {
    pub requests_answered: u64,
    pub requests_refused: u64,
    pub messages_malformed: u64,
    pub rings_reset: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub requests_answered: AtomicU64,
    pub requests_refused: AtomicU64,
    pub messages_malformed: AtomicU64,
    pub rings_reset: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    shards: watch::Sender<Vec<ShardView>>,
    logs_offline: Mutex<HashMap<LogUid, ErrorCode>>,
    counters: Counters,
}

/// The data plane seen through the bridge; clones share it.
#[derive(Clone, Debug)]
pub struct DataPlaneView {
    shared: Arc<Shared>,
}

impl DataPlaneView {
    pub fn new(shards: u16) -> Self {
        let shards = vec![ShardView::default(); usize::from(shards)];
        DataPlaneView {
            shared: Arc::new(Shared {
                shards: watch::Sender::new(shards),
                logs_offline: Mutex::default(),
                counters: Counters::default(),
            }),
        }
    }

    pub fn shards(&self) -> Vec<ShardView> {
        self.shared.shards.borrow().clone()
    }

    /// Tells when any shard's state changes.
    pub fn watch(&self) -> watch::Receiver<Vec<ShardView>> {
        self.shared.shards.subscribe()
    }

    /// Of the newest data plane that said hello; 0: none has.
    pub fn generation(&self) -> u64 {
        let shards = self.shared.shards.borrow();
        shards
            .iter()
            .map(|shard| shard.generation)
            .max()
            .unwrap_or(0)
    }

    /// Waits until every shard that is there serves the image of `version` or a later one; false
    /// when that takes longer than `limit`.
    pub async fn image_applied(&self, version: u64, limit: Duration) -> bool {
        let mut shards = self.shared.shards.subscribe();
        let applied = shards.wait_for(|shards| {
            let mut connected = shards.iter().filter(|shard| shard.connected);
            connected.all(|shard| shard.image_version >= version)
        });
        matches!(tokio::time::timeout(limit, applied).await, Ok(Ok(_)))
    }

    /// Why a log cannot be served at the moment, as its shard said; `None` when it can.
    pub fn log_error(&self, log: LogUid) -> Option<ErrorCode> {
        self.logs_offline().get(&log).copied()
    }

    pub fn logs_offline_count(&self) -> usize {
        self.logs_offline().len()
    }

    pub fn counts(&self) -> BridgeCounts {
        let counters = &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BridgeCounts {
            requests_answered: get(&counters.requests_answered),
            requests_refused: get(&counters.requests_refused),
            messages_malformed: get(&counters.messages_malformed),
            rings_reset: get(&counters.rings_reset),
        }
    }

    fn logs_offline(&self) -> MutexGuard<'_, HashMap<LogUid, ErrorCode>> {
        self.shared
            .logs_offline
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn set_shard(&self, shard: u16, view: ShardView) {
        self.shared.shards.send_if_modified(|shards| {
            let present = &mut shards[usize::from(shard)];
            let changed = *present != view;
            *present = view;
            changed
        });
    }

    pub(crate) fn set_log_state(&self, log: LogUid, error: Option<ErrorCode>) {
        let mut logs = self.logs_offline();
        match error {
            None => {
                logs.remove(&log);
            }
            Some(error) if logs.len() < LOGS_OFFLINE_MAX || logs.contains_key(&log) => {
                logs.insert(log, error);
            }
            Some(_) => {}
        }
    }

    /// A new data plane reports its offline logs anew.
    pub(crate) fn forget_logs(&self) {
        self.logs_offline().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn an_image_is_applied_when_every_connected_shard_serves_it() {
        let view = DataPlaneView::new(2);
        assert!(
            view.image_applied(7, SHORT).await,
            "nobody is there to wait for"
        );
        let at = |image_version| ShardView {
            connected: true,
            image_version,
            generation: 1,
        };
        view.set_shard(0, at(7));
        view.set_shard(1, at(6));
        assert!(!view.image_applied(7, SHORT).await);
        let waiter = {
            let view = view.clone();
            tokio::spawn(async move { view.image_applied(7, Duration::from_secs(10)).await })
        };
        view.set_shard(1, at(8));
        assert!(waiter.await.unwrap());
    }
}
