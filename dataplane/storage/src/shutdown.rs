//! The orderly end of a store.

use crate::api::*;
use crate::coldseg::Freezer;
use crate::compaction::Cleaner;
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

/// How long a step of `shutdown` waits for disks that do answer.
const SHUTDOWN_MAX: Duration = Duration::from_secs(60);

/// Logs that one job of the helper settles: their syncs wait together.
const SETTLED_TOGETHER: usize = 256;

/// Between two looks at what the helper has done. Whoever looked without a pause would take a
/// processor from it.
const LOOK_AGAIN: Duration = Duration::from_micros(100);

/// What a turn counts for at most: a process that stood still has not waited for its disks.
const TURN_MAX: Duration = Duration::from_millis(50);

/// A stop, and the directories whose disk has not answered so far.
struct Stop {
    now: Now,
    turned: Instant,
    hangs: Vec<bool>,
}

impl Stop {
    /// The time, which goes on while the stop waits.
    fn turn(&mut self) -> Now {
        let passed = self.turned.elapsed().min(TURN_MAX);
        self.turned = Instant::now();
        self.now.monotonic_us += passed.as_micros() as u64;
        self.now
    }
}

impl Store {
    /// Writes and syncs everything, blocking, moves the recovery points to the ends, and marks the
    /// stop as clean. A directory whose disk does not answer for [`StoreOptions::disk_wait`] is given
    /// up; the others are written whole.
    ///
    /// # Errors
    /// Something could not be written; it stays in the region, and the stop is not a clean one.
    pub fn shutdown(mut self, now: Now) -> Result<(), OpenError> {
        let mut stop = Stop {
            now,
            turned: Instant::now(),
            hangs: vec![false; self.checkpoints.len()],
        };
        self.settle_all(&mut stop);
        let Some(root) = stop.hangs.iter().position(|hangs| *hangs) else {
            return self.mark_clean();
        };
        let path = self.io.directories.path(root as u16).display();
        let what = format!("the disk of {path} does not answer: what it lacks is in the region");
        // Threads wait in there, and the kernel may still read what is to be written: both end with
        // the process.
        std::mem::forget(self);
        Err(OpenError::System {
            what,
            source: io::ErrorKind::TimedOut.into(),
        })
    }

    fn settle_all(&mut self, stop: &mut Stop) {
        let ids: Vec<LogId> = self.logs().map(|log| log.id).collect();
        self.cleaners.iter_mut().for_each(Cleaner::stop);
        self.freezers.iter_mut().for_each(Freezer::stop);
        self.settle(stop, |store, root| {
            store
                .logs_in(root)
                .all(|log| log.state != LogState::Opening)
        });
        for id in &ids {
            if let Some((log, io)) = self.log_and_io(*id)
                && log.is_online()
            {
                log.force_writes(io);
            }
        }
        self.settle(stop, |store, root| {
            store
                .logs_in(root)
                .all(|log| log.is_on_disk() || !log.is_online())
        });
        let mut closing: BTreeMap<u16, Vec<SettleJob>> = BTreeMap::new();
        for id in &ids {
            if let Some((log, _)) = self.log_and_io(*id)
                && log.is_online()
                && log.is_on_disk()
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
        self.settle(stop, |store, root| !store.io.is_busy_with(root));
        self.write_checkpoints();
        self.settle(stop, |store, root| {
            let lane = usize::from(root) % store.cleaners.len();
            let threads_rest = !store.cleaners[lane].is_busy() && !store.freezers[lane].is_busy();
            threads_rest && !store.io.is_busy_with(root)
        });
    }

    fn mark_clean(mut self) -> Result<(), OpenError> {
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

    fn logs_in(&self, root: u16) -> impl Iterator<Item = &Log> {
        self.logs().filter(move |log| log.root == root)
    }

    /// Everything is on disk: a region that outlives this stop holds nothing to recover.
    fn release_tails(&mut self) {
        for slot in &mut self.slots {
            if let Some(log) = &mut slot.log {
                log.free_extents(&mut self.io);
            }
        }
    }

    /// Turns until `done` says so of every directory, but for those that hang.
    fn settle(&mut self, stop: &mut Stop, done: impl Fn(&Store, u16) -> bool) {
        let begun_us = stop.now.monotonic_us;
        let wait = self.options.disk_wait;
        let mut events = Vec::new();
        loop {
            let now = stop.turn();
            let waited = Duration::from_micros(now.monotonic_us - begun_us);
            let mut left = 0;
            for (root, hangs) in stop.hangs.iter_mut().enumerate() {
                if *hangs || done(self, root as u16) {
                    continue;
                }
                let silent = Duration::from_micros(self.io.silent_us(root as u16, now));
                *hangs = waited.min(silent) >= wait;
                left += usize::from(!*hangs);
                if *hangs {
                    let directory = self.io.directories.path(root as u16).display();
                    tracing::error!(%directory, "a disk does not answer, and is not waited for");
                }
            }
            if left == 0 || waited >= SHUTDOWN_MAX {
                return;
            }
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
