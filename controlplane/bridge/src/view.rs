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
    /// It serves this image and all before it; 0: none yet.
    pub image_version: u64,
    /// Of the data plane that it belongs to; 0: it has not said hello.
    pub generation: u64,
}

/// A shard and the images that it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardImages {
    pub connected: bool,
    pub generation: u64,
    /// Of the last image sent.
    pub sent: u64,
    /// Images that it has not said it serves, oldest first: after which version each begins, and
    /// its own. Logs that are opened for one do not keep it from serving the next.
    pub unserved: Vec<(u64, u64)>,
}

impl ShardImages {
    fn view(&self) -> ShardView {
        ShardView {
            connected: self.connected,
            image_version: self.unserved.first().map_or(self.sent, |image| image.0),
            generation: self.generation,
        }
    }

    /// An image goes to it. A whole one holds what all before it changed.
    pub fn send(&mut self, version: u64, whole: bool) {
        let after = if whole { 0 } else { self.sent };
        if whole {
            self.unserved.clear();
        }
        self.unserved.push((after, version));
        self.sent = version;
    }

    /// It says that it serves what came with the image of `version`.
    pub fn served(&mut self, version: u64) {
        self.unserved.retain(|image| image.1 != version);
    }

    /// Whether it serves what `version` changed.
    fn serves(&self, version: u64) -> bool {
        let holds = |image: &(u64, u64)| image.0 < version && version <= image.1;
        self.sent >= version && !self.unserved.iter().any(holds)
    }
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
    shards: watch::Sender<Vec<ShardImages>>,
    logs_offline: Mutex<HashMap<LogUid, ErrorCode>>,
    counters: Counters,
}

/// Tells of changes to any shard's state.
#[derive(Debug)]
pub struct ShardChanges(watch::Receiver<Vec<ShardImages>>);

impl ShardChanges {
    /// Waits for the next change.
    ///
    /// # Errors
    /// There will be none any more.
    pub async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.0.changed().await
    }
}

/// The data plane seen through the bridge; clones share it.
#[derive(Clone, Debug)]
pub struct DataPlaneView {
    shared: Arc<Shared>,
}

impl DataPlaneView {
    pub fn new(shards: u16) -> Self {
        let shards = vec![ShardImages::default(); usize::from(shards)];
        DataPlaneView {
            shared: Arc::new(Shared {
                shards: watch::Sender::new(shards),
                logs_offline: Mutex::default(),
                counters: Counters::default(),
            }),
        }
    }

    pub fn shards(&self) -> Vec<ShardView> {
        let shards = self.shared.shards.borrow();
        shards.iter().map(ShardImages::view).collect()
    }

    /// Tells when any shard's state changes.
    pub fn watch(&self) -> ShardChanges {
        ShardChanges(self.shared.shards.subscribe())
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

    /// Waits until every shard that is there serves what `version` of the image changed; false
    /// when that takes longer than `limit`.
    pub async fn image_applied(&self, version: u64, limit: Duration) -> bool {
        let mut shards = self.shared.shards.subscribe();
        let applied = shards.wait_for(|shards| {
            let mut connected = shards.iter().filter(|shard| shard.connected);
            connected.all(|shard| shard.serves(version))
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

    /// Changes what is known of a shard.
    pub(crate) fn of_shard(&self, shard: u16, change: impl FnOnce(&mut ShardImages)) {
        let shards = &self.shared.shards;
        shards.send_modify(|shards| change(&mut shards[usize::from(shard)]));
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
        let send = |shard, version| {
            view.of_shard(shard, |shard| {
                shard.connected = true;
                shard.send(version, false);
            });
        };
        let serve = |shard, version| view.of_shard(shard, |shard| shard.served(version));
        for shard in [0, 1] {
            send(shard, 6);
            serve(shard, 6);
        }
        assert!(!view.image_applied(7, SHORT).await, "not sent yet");
        send(0, 7);
        serve(0, 7);
        send(1, 8);
        assert!(!view.image_applied(7, SHORT).await);
        let waiter = {
            let view = view.clone();
            tokio::spawn(async move { view.image_applied(7, Duration::from_secs(10)).await })
        };
        serve(1, 8);
        assert!(waiter.await.unwrap());
    }

    #[tokio::test]
    async fn an_image_whose_logs_are_not_open_keeps_only_its_own_waiting() {
        let view = DataPlaneView::new(1);
        let change = |change: &dyn Fn(&mut ShardImages)| view.of_shard(0, |shard| change(shard));
        change(&|shard| {
            shard.connected = true;
            shard.send(4, true);
        });
        assert_eq!(view.shards()[0].image_version, 0, "no image is served yet");
        change(&|shard| shard.served(4));
        change(&|shard| shard.send(9, false));
        change(&|shard| shard.send(11, false));
        change(&|shard| shard.served(11));
        assert!(view.image_applied(4, SHORT).await);
        assert!(view.image_applied(10, SHORT).await);
        assert!(view.image_applied(11, SHORT).await);
        assert!(
            !view.image_applied(5, SHORT).await,
            "9 holds what 5 changed"
        );
        assert!(!view.image_applied(9, SHORT).await);
        assert_eq!(view.shards()[0].image_version, 4);
        change(&|shard| shard.served(9));
        assert!(view.image_applied(9, SHORT).await);
        assert_eq!(view.shards()[0].image_version, 11);
        // A whole image takes the place of those that were not served.
        change(&|shard| shard.send(12, false));
        change(&|shard| shard.send(13, true));
        change(&|shard| shard.served(12));
        assert!(!view.image_applied(12, SHORT).await);
        change(&|shard| shard.served(13));
        assert!(view.image_applied(12, SHORT).await);
    }
}
