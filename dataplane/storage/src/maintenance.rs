//! The store's turns: what ended, what is due.

use crate::api::*;
use crate::cold::on_loaded;
use crate::coldseg::Freezer;
use crate::compaction::Cleaner;
use crate::index::SealedIndex;
use crate::io::{Operation, reserve};
use crate::jobs::{Checkpoint, Job, Outcome};
use crate::log::{Log, SegmentIndex};
use crate::recovery::OpenedLog;
use crate::room::Garbage;
use crate::store::Store;
use crate::write_behind::is_for_want_of_space;
use precursor_model::{FlushPolicy, Offset};
use precursor_shm::ExtentState;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// Sealed segments whose file and index stay open.
pub(crate) const LOADED_MAX: usize = 256;
/// Between two tries to remove segments that the helper was too busy for.
const RETRY_US: u64 = 100_000;
/// Between two looks at logs that are synced by time.
const SYNC_LOOK_US: u64 = 10_000;

/// What is due when, in microseconds of the monotonic clock.
pub(crate) struct Timers {
    /// Logs with bytes to be written, and when, in that order.
    pub dirty: VecDeque<(LogId, u64)>,
    /// Logs under `every-write` and `interval` with bytes to be synced.
    pub unsynced: Vec<LogId>,
    next_sync_look: u64,
    next_checkpoint: u64,
    next_retention: u64,
}

impl Timers {
    pub fn new(options: &StoreOptions, now: Now) -> Timers {
        Timers {
            dirty: VecDeque::with_capacity(256),
            unsynced: Vec::with_capacity(256),
            next_sync_look: 0,
            next_checkpoint: now.monotonic_us + options.checkpoint_interval_ms * 1000,
            next_retention: now.monotonic_us + options.retention_check_interval_ms * 1000,
        }
    }

    /// Makes the lists long enough for this many logs.
    pub fn expect_logs(&mut self, logs: usize) {
        reserve(&mut self.dirty, logs);
        self.unsynced
            .reserve(logs.saturating_sub(self.unsynced.len()));
    }

    pub fn checkpoint_now(&mut self) {
        self.next_checkpoint = 0;
    }

    /// What the helper was too busy to remove is tried again soon.
    pub fn retain_soon(&mut self, now: Now) {
        let soon = now.monotonic_us + RETRY_US;
        self.next_retention = self.next_retention.min(soon);
    }
}

impl Store {
    /// Moves everything on; appends what happened to `events`. True when there was work.
    pub fn poll(&mut self, now: Now, events: &mut Vec<StoreEvent>) -> bool {
        self.io.now = now;
        let mut work = self.feed_opens();
        work |= self.take_completions();
        work |= self.take_outcomes();
        work |= self.poll_cleaners(now);
        work |= self.poll_freezers(now);
        self.heed_directories();
        if work {
            self.drain_wake();
            self.advance_reads();
            self.feed_starved();
        }
        self.write_dirty(now);
        self.sync_due(now);
        if now.monotonic_us >= self.timers.next_checkpoint && self.can_checkpoint() {
            self.timers.next_checkpoint =
                now.monotonic_us + self.options.checkpoint_interval_ms * 1000;
            self.write_checkpoints();
        }
        if now.monotonic_us >= self.timers.next_retention {
            self.timers.next_retention =
                now.monotonic_us + self.options.retention_check_interval_ms * 1000;
            self.check_retention(now);
        }
        self.forget_evicted();
        self.io.order_stock();
        self.io.unsubmitted = !self.io.disk.submit();
        // Whatever ended may have made room; without that, trying again would be in vain.
        if self.io.memory_wanted && (work || self.io.memory_made) {
            self.io.memory_made = false;
            self.io.memory_wanted = false;
            self.io.events.push(StoreEvent::MemoryFreed);
        }
        work |= !self.io.events.is_empty();
        events.append(&mut self.io.events);
        work
    }

    /// When `poll` must be called at the latest, in microseconds of `Now::monotonic_us`.
    pub fn deadline(&self) -> Option<u64> {
        let timers = &self.timers;
        let mut due = timers.next_retention;
        if self.can_checkpoint() {
            due = due.min(timers.next_checkpoint);
        }
        let cleaners = self.cleaners.iter().map(Cleaner::deadline);
        let freezers = self.freezers.iter().map(Freezer::deadline);
        due = cleaners.chain(freezers).fold(due, u64::min);
        if let Some((_, at)) = timers.dirty.front() {
            due = due.min(*at);
        }
        if !timers.unsynced.is_empty() {
            due = due.min(timers.next_sync_look);
        }
        if !self.io.events.is_empty() || self.io.unsubmitted || self.opens.is_due() {
            due = 0;
        }
        Some(due)
    }

    /// Logs of a directory that can be used no more are offline; those of a full one refuse
    /// producers, and write again when there is room.
    fn heed_directories(&mut self) {
        let version = self.io.directories.version();
        if version == self.directories_seen {
            return;
        }
        self.directories_seen = version;
        let slots = self.slots.iter_mut();
        for log in slots.filter_map(|slot| slot.log.as_deref_mut()) {
            if self.io.directories.error(log.root).is_some() {
                log.go_offline(&mut self.io);
            }
            log.is_full = self.io.directories.is_full(log.root);
            if !log.is_full {
                log.retry_writes(&mut self.io);
            }
        }
    }

    fn take_completions(&mut self) -> bool {
        let mut any = false;
        while let Some((operation, result)) = self.io.next_completion() {
            any = true;
            match operation {
                Operation::Write {
                    log,
                    base,
                    start,
                    end,
                    from,
                    ..
                } => {
                    if let Some((log, io)) = self.log_and_io(log) {
                        log.on_written(io, base, (start, end), from, result);
                    }
                }
                Operation::Sync { log, .. } => {
                    if let Some((log, io)) = self.log_and_io(log) {
                        log.on_synced(io, result);
                    }
                }
                Operation::Read { window } => self.cache.on_read(window, result),
            }
        }
        any
    }

    fn take_outcomes(&mut self) -> bool {
        let mut any = false;
        while let Some(outcome) = self.io.next_outcome() {
            any = true;
            match outcome {
                Outcome::Opened(root, logs) => {
                    self.opens.set_under_way(root, false);
                    for (log, result) in logs.opened {
                        self.on_opened(log, result);
                    }
                    for opening in logs.rest {
                        self.opens.push(root, opening);
                    }
                    if let Some(took_us) = self.opens.tell_recovered(self.io.now) {
                        self.io.stats.recovery_us = took_us;
                    }
                }
                Outcome::Created(log, base, result) => {
                    if let Some((log, io)) = self.log_and_io(log) {
                        match (result, log.segment_of_mut(base)) {
                            (Ok(file), Some(segment)) => segment.file = Some(file),
                            (Err(error), _) => log.fail_with(io, "make a segment", &error),
                            _ => {}
                        }
                        log.pump_writes(io);
                        log.advance_sync(io);
                    }
                }
                Outcome::Reserved(result) => {
                    if let Err(error) = result {
                        // Then writes make the file longer, as far as they come.
                        tracing::debug!(%error, "cannot reserve room in a segment's file");
                    }
                }
                Outcome::Settled {
                    log,
                    base,
                    offset,
                    result,
                } => self.on_settled(log, base, offset, result),
                Outcome::SettledAll(logs) => {
                    for (log, base, offset, result) in logs {
                        self.on_settled(log, base, offset, result);
                    }
                }
                Outcome::Checkpointed(root, list, written) => {
                    self.checkpoints[usize::from(root)].list = Some(list);
                    if let Err(error) = written {
                        let path = self.io.directories.path(root).to_owned();
                        let directory = path.display();
                        tracing::error!(%directory, %error, "cannot write the checkpoint files");
                        self.io.job(root, Job::Probe(root, path));
                    }
                }
                Outcome::Probed(root, Err(error)) if is_for_want_of_space(&error) => {
                    self.io.directories.no_space(root);
                }
                Outcome::Probed(root, Err(error)) => self.io.directories.fail(root, &error),
                Outcome::Loaded(id, (base, generation), result) => {
                    if let Some((log, io)) = self.log_and_io(id)
                        && on_loaded(log, io, base, generation, result)
                    {
                        self.note_loaded(id, base);
                    }
                }
                Outcome::Mended(log, segment, result) => self.on_mended(log, segment, result),
                Outcome::Swapped {
                    log,
                    clean_to,
                    result,
                } => self.on_swapped(log, clean_to, result),
                Outcome::Placed(log, segment, placed) => self.on_placed(log, segment, placed),
                Outcome::RemovedSegments(log, Err(error)) => {
                    if let Some((log, io)) = self.log_and_io(log) {
                        log.fail_with(io, "remove old segments", &error);
                    }
                }
                Outcome::RemovedLog(Err(error)) => {
                    tracing::error!(%error, "cannot remove a partition's directory");
                }
                Outcome::Found(ticket, result) => self.on_found(ticket, result),
                Outcome::Room(id, purpose, room) => match self.log_and_io(id) {
                    Some((log, io)) => log.take_room(io, purpose, room),
                    None => self.io.discard(Garbage::Room(room)),
                },
                Outcome::Longer(id, longer) => match self.log_and_io(id) {
                    Some((log, io)) => log.take_longer(io, longer),
                    None => self.io.discard(Garbage::List(longer)),
                },
                Outcome::Stock(delivery) => self.io.take_stock(delivery),
                Outcome::Discarded
                | Outcome::RemovedSegments(_, Ok(()))
                | Outcome::DiscardedCleaned
                | Outcome::Probed(_, Ok(()))
                | Outcome::RemovedLog(Ok(())) => {}
            }
        }
        any
    }

    /// Logs that found the disk's queue full try again.
    fn feed_starved(&mut self) {
        for _ in 0..self.io.starved.len() {
            let Some(id) = self.io.starved.pop_front() else {
                return;
            };
            if let Some((log, io)) = self.log_and_io(id) {
                log.is_starved = false;
                if !log.is_online() {
                    continue;
                }
                log.advance_sync(io);
                log.pump_writes(io);
            }
        }
    }

    /// Gives each helper the next logs to open, one batch at a time: what else it has to do is not
    /// to wait for more than that. True when there were any.
    fn feed_opens(&mut self) -> bool {
        let mut any = false;
        while let Some(root) = self.opens.due() {
            any |= self.feed_opens_of(root);
        }
        any
    }

    fn feed_opens_of(&mut self, root: u16) -> bool {
        let slots = &self.slots;
        let is_wanted = |id: LogId| {
            let slot = &slots[id.slot as usize];
            slot.generation == id.generation && slot.log.is_some()
        };
        let batch = self.opens.next_batch(root, is_wanted);
        if batch.is_empty() {
            return false;
        }
        self.opens.set_under_way(root, true);
        self.io.job(root, Job::Open(root, batch));
        true
    }

    fn on_opened(&mut self, id: LogId, result: io::Result<Box<OpenedLog>>) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        match result {
            // Its directory failed meanwhile.
            Ok(_) if log.state != LogState::Opening => {}
            Ok(opened) => {
                let report = opened.report;
                io.stats.recovered_bytes += report.bytes_rescued;
                io.stats.quarantined_batches += report.quarantined_batches;
                io.stats.quarantined_bytes += report.quarantined_bytes;
                log.become_online(*opened);
                io.stats.segments += log.segments.len() as u64;
                io.events.push(StoreEvent::Online { log: id });
                if report.bytes_rescued + report.bytes_cut + report.set_aside > 0 {
                    self.opens.add_recovered(&report);
                }
                // What was copied from the region is on disk now.
                for extent in self.adopted.remove(&id).unwrap_or_default() {
                    self.io.pool_mut().set_state(extent, ExtentState::Written);
                    self.io.free(extent);
                }
            }
            Err(error) => log.fail_with(io, "open the log", &error),
        }
    }

    fn on_settled(
        &mut self,
        id: LogId,
        base: Offset,
        offset: Offset,
        result: io::Result<Option<Arc<SealedIndex>>>,
    ) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        match result {
            Err(error) => log.fail_with(io, "settle a segment", &error),
            Ok(index) => {
                log.recovery_point = log.recovery_point.max(offset);
                if let Some(segment) = log.segment_of_mut(base) {
                    segment.aborted.settle(offset);
                }
                let Some(index) = index else {
                    return;
                };
                log.settling -= 1;
                let mut spent = SegmentIndex::Loaded(index);
                if let Some(segment) = log.segment_of_mut(base) {
                    std::mem::swap(&mut segment.index, &mut spent);
                    if let Some(list) = segment.aborted.take_list() {
                        io.discard(Garbage::Aborted(list));
                    }
                }
                io.retire_index(spent);
                let size = log
                    .segment_of(base)
                    .map_or(u64::MAX, |segment| segment.size);
                log.set_durable(io, offset, base, size);
                log.advance_sync(io);
                self.note_loaded(id, base);
            }
        }
    }

    /// Bounds the sealed segments whose file and index are open.
    fn note_loaded(&mut self, id: LogId, base: Offset) {
        self.loaded.push_back((id, base));
        while self.loaded.len() > LOADED_MAX {
            let Some((id, base)) = self.loaded.pop_front() else {
                return;
            };
            if let Some((log, io)) = self.log_and_io(id)
                && let root = log.root
                && let Some(segment) = log.segment_of_mut(base)
            {
                let index = std::mem::replace(&mut segment.index, SegmentIndex::Absent);
                let file = segment.file.take();
                io.retire_index(index);
                if let Some(file) = file {
                    io.close(root, Garbage::File(file));
                }
            }
        }
    }

    /// Writes logs whose bytes have waited long enough.
    fn write_dirty(&mut self, now: Now) {
        while let Some((id, due)) = self.timers.dirty.front().copied() {
            if due > now.monotonic_us {
                return;
            }
            self.timers.dirty.pop_front();
            if let Some((log, io)) = self.log_and_io(id) {
                log.is_dirty = false;
                if log.is_online() {
                    log.shrink_extents();
                    log.force_writes(io);
                }
            }
        }
    }

    /// Begins the syncs that the flush policies ask for.
    fn sync_due(&mut self, now: Now) {
        if self.timers.unsynced.is_empty() {
            return;
        }
        let look = now.monotonic_us >= self.timers.next_sync_look;
        if look {
            self.timers.next_sync_look = now.monotonic_us + SYNC_LOOK_US;
        }
        let mut at = 0;
        while let Some(id) = self.timers.unsynced.get(at).copied() {
            let keep = self.log_and_io(id).is_some_and(|(log, io)| {
                let wanted = log.is_online() && log.durable < log.end;
                log.is_unsynced = wanted;
                let due = match log.config.flush_policy {
                    FlushPolicy::EveryWrite => true,
                    FlushPolicy::Interval => {
                        let interval_us =
                            (log.config.flush_interval_ms as u64).saturating_mul(1000);
                        now.monotonic_us.saturating_sub(log.last_sync_us) >= interval_us
                            || log.unsynced_bytes() >= log.config.flush_bytes as u64
                    }
                    FlushPolicy::Os => false,
                };
                if wanted && due {
                    log.begin_sync(io);
                }
                wanted
            });
            if keep {
                at += 1;
            } else {
                self.timers.unsynced.swap_remove(at);
            }
        }
    }

    /// Whether some directory's helper is through with the last checkpoints.
    fn can_checkpoint(&self) -> bool {
        self.checkpoints.iter().any(|of| of.list.is_some())
    }

    /// Hands changed recovery points and log starts to the helpers, but for those that are not
    /// through with the last ones.
    pub(crate) fn write_checkpoints(&mut self) {
        for slot in &mut self.slots {
            let Some(log) = slot.log.as_deref_mut() else {
                continue;
            };
            let now = (log.recovery_point, log.start, log.clean_to);
            if log.segments.is_empty() || log.checkpointed == now || !log.is_online() {
                continue;
            }
            let Some(changed) = &mut self.checkpoints[usize::from(log.root)].list else {
                continue;
            };
            log.checkpointed = now;
            changed.push(Checkpoint {
                topic: log.topic.clone(),
                partition: log.partition,
                recovery_point: log.recovery_point,
                log_start: log.start,
                clean_to: log.clean_to,
            });
        }
        for (root, of) in (0u16..).zip(&mut self.checkpoints) {
            let is_usable = self.io.directories.error(root).is_none();
            let has_any = |list: &Vec<Checkpoint>| !list.is_empty() || !of.removed.is_empty();
            let wanted = of.list.as_ref().is_some_and(has_any) && is_usable;
            if let Some(changed) = of.list.take_if(|_| wanted) {
                let job = Job::Checkpoints {
                    directories: self.io.directories.clone(),
                    root,
                    changed,
                    removed: std::mem::take(&mut of.removed),
                };
                self.io.job(root, job);
            }
        }
    }
}

impl Log {
    /// A log that had no full block to write in its time grows by smaller extents.
    fn shrink_extents(&mut self) {
        let waiting = self.active().size.saturating_sub(self.writer.submitted) as usize;
        if waiting < self.extent_bytes / 4 {
            self.extent_bytes = (self.extent_bytes / 2).max(crate::append::EXTENT_BYTES_MIN);
        }
    }
}
