//! The Raft log on disk.

use crate::disk::{Disk, LOG, PURGED, VOTE, other, put_value, to_json};
use crate::types::{Entry, LogId, TypeConfig, Vote};
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use redb::ReadableTable;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};

/// The log; clones read the same one.
#[derive(Clone)]
pub(crate) struct LogStore {
    disk: Disk,
}

impl LogStore {
    pub fn new(disk: Disk) -> Self {
        LogStore { disk }
    }
}

fn read_entry(bytes: &[u8]) -> io::Result<Entry> {
    serde_json::from_slice(bytes).map_err(other)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        // redb asserts that a range is not upside down; openraft may ask for such a one.
        let empty = match bounds {
            (Bound::Included(start), Bound::Excluded(end)) => start >= end,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            _ => false,
        };
        if empty {
            return Ok(Vec::new());
        }
        let entries = self.disk.read(|transaction| {
            let table = transaction.open_table(LOG)?;
            let mut entries = Vec::new();
            for item in table.range::<u64>(bounds)? {
                entries.push(item?.1.value().to_vec());
            }
            Ok(entries)
        })?;
        entries.iter().map(|bytes| read_entry(bytes)).collect()
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        self.disk.value(VOTE)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let last_purged_log_id: Option<LogId> = self.disk.value(PURGED)?;
        let last = self.disk.read(|transaction| {
            let table = transaction.open_table(LOG)?;
            Ok(table.last()?.map(|(_, bytes)| bytes.value().to_vec()))
        })?;
        let last_log_id = match last {
            Some(bytes) => Some(read_entry(&bytes)?.log_id()),
            None => last_purged_log_id,
        };
        Ok(LogState {
            last_purged_log_id,
            last_log_id,
        })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.disk.save_vote(*vote).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        self.disk.set_committed(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.disk.committed())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<(u64, Vec<u8>)> = entries
            .into_iter()
            .map(|entry| (entry.log_id().index, to_json(&entry)))
            .collect();
        // Entries must be readable when this returns, so it waits for the commit that makes them
        // durable as well. Proposals that come meanwhile share the next one.
        let written = self
            .disk
            .write(move |transaction| {
                let mut table = transaction.open_table(LOG)?;
                for (index, bytes) in &entries {
                    table.insert(index, bytes.as_slice())?;
                }
                Ok(())
            })
            .await;
        callback.io_completed(written);
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let first = last_log_id.map_or(0, |log_id| log_id.index + 1);
        self.disk
            .write(move |transaction| {
                let mut table = transaction.open_table(LOG)?;
                table.retain_in(first.., |_, _| false)?;
                Ok(())
            })
            .await
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        self.disk
            .write(move |transaction| {
                put_value(transaction, PURGED, &log_id)?;
                let mut table = transaction.open_table(LOG)?;
                table.retain_in(..=log_id.index, |_, _| false)?;
                Ok(())
            })
            .await
    }
}
