//! Who waits for what happens to a log: parked fetches for appends, produces for durability.

use crate::peers::{RemoteAppended, Ticket};
use precursor_memory::SlabKey as Key;
use precursor_model::{LogUid, Offset};
use precursor_storage::LogId;
use std::collections::VecDeque;

/// Whose append waits for durability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DurableWaiter {
    /// A produce of this shard, and which of its partitions.
    Produce { key: Key, place: u32 },
    /// Another shard, which is to be told this.
    Peer {
        shard: u16,
        ticket: Ticket,
        appended: RemoteAppended,
    },
}

/// An append that may be answered once everything below `offset` is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurableWait {
    pub offset: Offset,
    pub waiter: DurableWaiter,
}

/// One log's waiters.
#[derive(Default)]
pub(crate) struct LogWaiters {
    generation: u32,
    pub uid: Option<LogUid>,
    /// Fetches that end when something is appended.
    pub fetches: Vec<Key>,
    /// In the order of their offsets.
    pub durable: VecDeque<DurableWait>,
    /// Shards whose fetches wait here, once each.
    pub shards: Vec<u16>,
}

/// The waiters of every local log, by the store's slot.
#[derive(Default)]
pub(crate) struct WaiterTable {
    logs: Vec<LogWaiters>,
}

impl WaiterTable {
    /// Makes room for a log, or finds it. What an earlier log in the slot left behind is void.
    pub fn prepare(&mut self, log: LogId, uid: LogUid) {
        let slot = log.slot as usize;
        if slot >= self.logs.len() {
            self.logs.resize_with(slot + 1, LogWaiters::default);
        }
        let waiters = &mut self.logs[slot];
        if waiters.generation != log.generation || waiters.uid != Some(uid) {
            *waiters = LogWaiters {
                generation: log.generation,
                uid: Some(uid),
                ..LogWaiters::default()
            };
        }
    }

    pub fn get_mut(&mut self, log: LogId) -> Option<&mut LogWaiters> {
        self.logs
            .get_mut(log.slot as usize)
            .filter(|waiters| waiters.generation == log.generation && waiters.uid.is_some())
    }

    /// Takes a fetch off a log's list.
    pub fn forget_fetch(&mut self, log: LogId, fetch: Key) {
        if let Some(waiters) = self.get_mut(log)
            && let Some(at) = waiters.fetches.iter().position(|key| *key == fetch)
        {
            waiters.fetches.swap_remove(at);
        }
    }
}
