//! The metadata state machine under openraft: applies committed entries, keeps snapshots.

use crate::disk::Disk;
use crate::types::{LogId, Reply, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};
use openraft::entry::{EntryPayload, RaftEntry};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{OptionalSend, RaftSnapshotBuilder};
use precursor_metadata::{Change, Metadata, Outcome};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::broadcast;
use tokio_stream::{Stream, StreamExt};

/// Changes that a slow subscriber may fall behind before it is told to read everything anew.
const CHANGES_BEHIND_MAX: usize = 1_024;

/// The state that everyone reads and one task changes.
pub(crate) struct SharedState {
    metadata: RwLock<Metadata>,
    changes: broadcast::Sender<Arc<[Change]>>,
}

impl SharedState {
    pub fn read<T>(&self, read: impl FnOnce(&Metadata) -> T) -> T {
        // A panic while it was held came from a reader: the state itself is whole.
        read(&self.metadata.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Change]>> {
        self.changes.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Metadata) -> (T, Vec<Change>)) -> T {
        let (result, changes) = {
            let mut metadata = self
                .metadata
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            change(&mut metadata)
        };
        if !changes.is_empty() {
            // Without subscribers nobody needs to know.
            let _ = self.changes.send(changes.into());
        }
        result
    }
}

/// What openraft drives.
pub(crate) struct StateMachine {
    disk: Disk,
    shared: Arc<SharedState>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
}

impl StateMachine {
    /// The state of the newest snapshot; openraft then applies the log that follows it.
    pub fn open(disk: Disk) -> io::Result<Self> {
        let (metadata, last_applied, membership) = match disk.snapshot()? {
            Some((meta, data)) => (
                Metadata::from_snapshot(&data).map_err(io::Error::other)?,
                meta.last_log_id,
                meta.last_membership,
            ),
            None => (Metadata::default(), None, StoredMembership::default()),
        };
        let shared = SharedState {
            metadata: RwLock::new(metadata),
            changes: broadcast::channel(CHANGES_BEHIND_MAX).0,
        };
        Ok(StateMachine {
            disk,
            shared: Arc::new(shared),
            last_applied,
            membership,
        })
    }

    pub fn shared(&self) -> Arc<SharedState> {
        Arc::clone(&self.shared)
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Vec<u8>;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            let log_id = entry.log_id();
            self.last_applied = Some(log_id);
            let reply = match entry.payload {
                EntryPayload::Normal(command) => self.shared.change(|metadata| {
                    let applied = metadata.apply(&command);
                    let reply = Reply {
                        outcome: applied.outcome,
                        version: applied.version,
                    };
                    (reply, applied.changes)
                }),
                payload => {
                    if let EntryPayload::Membership(membership) = payload {
                        self.membership = StoredMembership::new(Some(log_id), membership);
                    }
                    Reply {
                        outcome: Outcome::Nothing,
                        version: self.shared.read(Metadata::version),
                    }
                }
            };
            if let Some(responder) = responder {
                responder.send(reply);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self::SnapshotBuilder {
        SnapshotBuilder {
            disk: self.disk.clone(),
            meta: SnapshotMeta {
                last_log_id: self.last_applied,
                last_membership: self.membership.clone(),
            },
            // Copied now: the builder runs while further entries are applied.
            data: self.shared.read(Metadata::to_snapshot),
        }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Vec<u8>) -> io::Result<()> {
        let metadata = Metadata::from_snapshot(&snapshot).map_err(io::Error::other)?;
        self.disk.save_snapshot(meta.clone(), snapshot).await?;
        self.last_applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.shared.change(|state| {
            *state = metadata;
            ((), vec![Change::Everything])
        });
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        Ok(self
            .disk
            .snapshot()?
            .map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// Writes one snapshot.
pub(crate) struct SnapshotBuilder {
    disk: Disk,
    meta: SnapshotMeta,
    data: Vec<u8>,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = Vec<u8>;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        self.disk
            .save_snapshot(self.meta.clone(), self.data.clone())
            .await?;
        Ok(Snapshot {
            meta: self.meta.clone(),
            snapshot: std::mem::take(&mut self.data),
        })
    }
}
