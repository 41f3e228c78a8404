//! The database file under the log and the snapshots, and the one thread that writes to it.
//!
//! Commits wait for fdatasync, which may take long; they happen on a thread of their own so that
//! the runtime, which may have only one thread, goes on answering.

use crate::types::{LogId, SnapshotMeta, Vote};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use tokio::sync::oneshot;

/// Raft log entries as JSON, by index.
pub(crate) const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");
/// Single values as JSON (the snapshot's data: as it is), by the names below.
pub(crate) const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");
pub(crate) const VOTE: &str = "vote";
pub(crate) const PURGED: &str = "purged";
pub(crate) const COMMITTED: &str = "committed";
const FORMAT: &str = "format";
const NODE_ID: &str = "node_id";
const SNAPSHOT_META: &str = "snapshot_meta";
const SNAPSHOT_DATA: &str = "snapshot_data";

/// Raised when a file of an earlier version could no longer be read as it is.
const FORMAT_KNOWN: u32 = 1;
/// The file is small and read rarely: a small cache keeps the process small.
const CACHE_BYTES: usize = 256 * 1024;
const STACK_BYTES: usize = 512 * 1024;
/// Writes that wait for the thread: openraft has one or two under way.
const JOBS_MAX: usize = 64;

type Job = Box<dyn FnOnce(&Database) + Send>;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("another process has it open")]
    InUse,
    #[error("it has format {found}; this version knows {FORMAT_KNOWN}")]
    UnknownFormat { found: u32 },
    #[error("it belongs to the node with node.id={found}, not {expected}")]
    OtherNode { found: u64, expected: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A handle to the open database; clones share it. The file closes with the last one.
#[derive(Clone)]
pub(crate) struct Disk {
    database: Arc<Database>,
    jobs: mpsc::SyncSender<Job>,
    // Saved by the next durable write: a stale value only means more to apply again.
    committed: Arc<Mutex<Option<LogId>>>,
}

impl Disk {
    pub fn open(path: &Path, node_id: u64) -> Result<Disk, DiskError> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)
            .map_err(|error| match error {
                redb::DatabaseError::DatabaseAlreadyOpen => DiskError::InUse,
                error => DiskError::Io(other(error)),
            })?;
        let database = Arc::new(database);
        check_owner(&database, node_id)?;
        let (jobs, queue) = mpsc::sync_channel::<Job>(JOBS_MAX);
        let writer = Arc::clone(&database);
        thread::Builder::new()
            .name("metadata-log".into())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&writer);
                }
            })?;
        let disk = Disk {
            database,
            jobs,
            committed: Arc::default(),
        };
        *disk.committed_slot() = disk.value(COMMITTED)?;
        Ok(disk)
    }

    fn committed_slot(&self) -> std::sync::MutexGuard<'_, Option<LogId>> {
        self.committed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn committed(&self) -> Option<LogId> {
        *self.committed_slot()
    }

    pub fn set_committed(&self, committed: Option<LogId>) {
        *self.committed_slot() = committed;
    }

    /// Runs `change` in one transaction on the writer's thread; returns when it is durable.
    pub async fn write<F>(&self, change: F) -> io::Result<()>
    where
        F: FnOnce(&WriteTransaction) -> Result<(), redb::Error> + Send + 'static,
    {
        let committed = self.committed();
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |database| {
            let written = commit(database, |transaction| {
                change(transaction)?;
                if let Some(committed) = &committed {
                    put_value(transaction, COMMITTED, committed)?;
                }
                Ok(())
            });
            // Nobody waits any more: the runtime is going down.
            let _ = done.send(written.map_err(other));
        });
        // Never more in flight than openraft's few, so this blocks no longer than a write does.
        let gone = || io::Error::other("the metadata log's thread is gone");
        self.jobs.send(job).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }

    /// Reads through `read` in one transaction.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> io::Result<T> {
        let transaction = self.database.begin_read().map_err(other)?;
        read(&transaction).map_err(other)
    }

    /// The value saved under `name`.
    pub fn value<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match self.bytes(name)? {
            Some(bytes) => Ok(Some(serde_json::from_slice(&bytes).map_err(other)?)),
            None => Ok(None),
        }
    }

    fn bytes(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.read(|transaction| {
            let table = transaction.open_table(VALUES)?;
            Ok(table.get(name)?.map(|guard| guard.value().to_vec()))
        })
    }

    pub async fn save_vote(&self, vote: Vote) -> io::Result<()> {
        self.write(move |transaction| put_value(transaction, VOTE, &vote))
            .await
    }

    pub async fn save_snapshot(&self, meta: SnapshotMeta, data: Vec<u8>) -> io::Result<()> {
        self.write(move |transaction| {
            put_value(transaction, SNAPSHOT_META, &meta)?;
            let mut table = transaction.open_table(VALUES)?;
            table.insert(SNAPSHOT_DATA, data.as_slice())?;
            Ok(())
        })
        .await
    }

    pub fn snapshot(&self) -> io::Result<Option<(SnapshotMeta, Vec<u8>)>> {
        let Some(meta) = self.value(SNAPSHOT_META)? else {
            return Ok(None);
        };
        // Written in the same transaction as the meta data.
        let data = self
            .bytes(SNAPSHOT_DATA)?
            .ok_or_else(|| io::Error::other("a metadata snapshot without data"))?;
        Ok(Some((meta, data)))
    }
}

/// Makes the tables of a new file, and checks that an old one is this node's.
fn check_owner(database: &Database, node_id: u64) -> Result<(), DiskError> {
    let mut found = None;
    commit(database, |transaction| {
        transaction.open_table(LOG)?;
        let table = transaction.open_table(VALUES)?;
        let number = |name: &str| -> Result<Option<u64>, redb::Error> {
            let bytes = table.get(name)?.map(|guard| guard.value().to_vec());
            Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
        };
        found = number(FORMAT)?.zip(number(NODE_ID)?);
        drop(table);
        if found.is_none() {
            put_value(transaction, FORMAT, &FORMAT_KNOWN)?;
            put_value(transaction, NODE_ID, &node_id)?;
        }
        Ok(())
    })
    .map_err(other)?;
    match found {
        Some((format, _)) if format != u64::from(FORMAT_KNOWN) => Err(DiskError::UnknownFormat {
            found: u32::try_from(format).unwrap_or(u32::MAX),
        }),
        Some((_, owner)) if owner != node_id => Err(DiskError::OtherNode {
            found: owner,
            expected: node_id,
        }),
        _ => Ok(()),
    }
}

fn commit(
    database: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    change(&transaction)?;
    transaction.commit()?;
    Ok(())
}

pub(crate) fn put_value<T: Serialize>(
    transaction: &WriteTransaction,
    name: &str,
    value: &T,
) -> Result<(), redb::Error> {
    let bytes = to_json(value);
    transaction
        .open_table(VALUES)?
        .insert(name, bytes.as_slice())?;
    Ok(())
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with text keys is always JSON")
}

pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(error)
}
