//! The orderly end of a store.

use crate::api::*;
use crate::epochs::LeaderEpochs;
use crate::jobs::{Job, SettleJob};
use crate::layout::clean_marker;
use crate::log::{Log, SegmentIndex, SyncState};
use crate::producers::ProducerList;
use crate::store::Store;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long `shutdown` waits for the disk.
const SHUTDOWN_MAX: Duration = Duration::from_secs(60);

/// Logs that one job of the helper settles: their syncs wait together.
const SETTLED_TOGETHER: usize = 512;

/// Between two looks at what the helper has done. Whoever looked without a pause would take a
/// processor from it.
const LOOK_AGAIN: Duration = Duration::from_micros(100);

impl Store {
    /// Writes and syncs everything, blocking, moves the recovery points to the ends, and marks the
    /// stop as clean.
    ///
    /// # Errors
    /// Something could not be written; it stays in the region, and the stop is not a clean one.
    pub fn shutdown(mut self, now: Now) -> Result<(), OpenError> {
        let ids: Vec<LogId> = self.logs().map(|log| log.id).collect();
        self.cleaner.stop();
        self.freezer.stop();
        self.settle_until(now, |store| {
            store.logs().all(|log| log.state != LogState::Opening)
        });
        for id in &ids {
            if let Some((log, io)) = self.log_and_io(*id)
                && log.is_online()
            {
                log.force_writes(io);
            }
        }
        self.settle_until(now, |store| {
            store.logs().all(|log| log.is_on_disk() || !log.is_online())
        });
        let mut closing: BTreeMap<u16, Vec<SettleJob>> = BTreeMap::new();
        for id in &ids {
            if let Some((log, _)) = self.log_and_io(*id)
                && log.is_online()
                && (log.recovery_point < log.end || log.has_room_ahead())
            {
                closing.entry(log.root).or_default().push(log.closing_job());
            }
        }
        for (root, mut jobs) in closing {
            while !jobs.is_empty() {
                let rest = jobs.split_off(jobs.len().min(SETTLED_TOGETHER));
                let together = std::mem::replace(&mut jobs, rest);
                self.io.job(root, Job::SettleAll(together));
            }
        }
        self.settle_until(now, |store| !store.io.is_busy());
        self.write_checkpoints();
        self.settle_until(now, |store| !store.io.is_busy());
        let left = self
            .logs()
            .find(|log| log.recovery_point < log.end || !log.is_online());
        if let Some(log) = left {
            return Err(OpenError::System {
                what: format!("{}-{} is not on disk whole", log.topic, log.partition),
                source: io::ErrorKind::Other.into(),
            });
        }
        self.release_tails();
        let marker = clean_marker(&self.options.data_dir, self.options.shard);
        let text = b"{\"version\":0}\n";
        let marked = self.files.replace(&marker, text);
        marked.map_err(|source| OpenError::System {
            what: format!("cannot write {}", marker.display()),
            source,
        })
    }

    /// Everything is on disk: a region that outlives this stop holds nothing to recover.
    fn release_tails(&mut self) {
        for slot in &mut self.slots {
            if let Some(log) = &mut slot.log {
                log.free_extents(&mut self.io);
            }
        }
    }

    fn settle_until(&mut self, now: Now, done: impl Fn(&Store) -> bool) {
        let begun = Instant::now();
        let mut events = Vec::new();
        while !done(self) && begun.elapsed() < SHUTDOWN_MAX {
            if !self.poll(now, &mut events) {
                std::thread::sleep(LOOK_AGAIN);
            }
            events.clear();
        }
    }
}

impl Log {
    /// True when every byte is written and settled but for the active segment's end.
    fn is_on_disk(&self) -> bool {
        self.writer.base == self.active().base
            && self.writer.written == self.active().size
            && self.settling == 0
            && matches!(self.sync, SyncState::Idle)
    }

    /// Cuts the padding, syncs, writes index, producers and epochs.
    fn closing_job(&mut self) -> SettleJob {
        let index = match &self.active().index {
            SegmentIndex::Growing(index) => index.clone(),
            _ => Arc::default(),
        };
        let aborted = self.active().aborted.share();
        let mut snapshot = self.snapshot(ProducerList::default(), LeaderEpochs::default(), aborted);
        self.add_epochs(&mut snapshot);
        let active = self.active();
        SettleJob {
            log: self.id,
            directory: self.directory.clone(),
            base: active.base,
            size: active.size,
            index,
            newest: active.newest,
            snapshot,
            truncate: true,
            sync: true,
            seals: false,
        }
    }
}
