//! The store's turns: what ended, what is due, what is old; and its end.

use crate::api::*;
use crate::cold::on_loaded;
use crate::index::SealedIndex;
use crate::io::Operation;
use crate::jobs::{Job, Outcome, SettleJob};
use crate::layout::{OffsetMap, clean_marker};
use crate::log::{Log, Segment, SegmentIndex, SyncState, Writer};
use crate::recovery::OpenedLog;
use crate::store::Store;
use precursor_model::{CleanupPolicy, ErrorCode, FlushPolicy, Offset};
use precursor_shm::ExtentState;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sealed segments whose file and index stay open.
const LOADED_MAX: usize = 256;
/// Between two looks at logs that are synced by time.
const SYNC_LOOK_US: u64 = 10_000;
/// How long `shutdown` waits for the disk.
const SHUTDOWN_MAX: Duration = Duration::from_secs(60);

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

    pub fn checkpoint_now(&mut self) {
        self.next_checkpoint = 0;
    }
}

impl Store {
    /// Moves everything on; appends what happened to `events`. True when there was work.
    pub fn poll(&mut self, now: Now, events: &mut Vec<StoreEvent>) -> bool {
        self.io.now = now;
        let mut work = self.take_completions();
        work |= self.take_outcomes();
        if work {
            self.drain_wake();
            self.advance_reads();
            self.feed_starved();
        }
        self.write_dirty(now);
        self.sync_due(now);
        if now.monotonic_us >= self.timers.next_checkpoint {
            self.timers.next_checkpoint =
                now.monotonic_us + self.options.checkpoint_interval_ms * 1000;
            self.write_checkpoints();
        }
        if now.monotonic_us >= self.timers.next_retention {
            self.timers.next_retention =
                now.monotonic_us + self.options.retention_check_interval_ms * 1000;
            self.check_retention(now);
        }
        self.io.order_chunks();
        self.io.disk.submit();
        if self.io.memory_wanted && !self.io.evictable.is_empty() {
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
        let mut due = timers.next_checkpoint.min(timers.next_retention);
        if let Some((_, at)) = timers.dirty.front() {
            due = due.min(*at);
        }
        if !timers.unsynced.is_empty() {
            due = due.min(timers.next_sync_look);
        }
        if !self.io.events.is_empty() {
            due = 0;
        }
        Some(due)
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
                Operation::Sync { log } => {
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
                Outcome::Opened(log, result) => self.on_opened(log, result),
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
                Outcome::Settled {
                    log,
                    base,
                    offset,
                    result,
                } => self.on_settled(log, base, offset, result),
                Outcome::Checkpointed(Err(error)) => {
                    tracing::error!(%error, "cannot write the checkpoint files");
                }
                Outcome::Loaded(id, base, result) => {
                    if let Some((log, io)) = self.log_and_io(id) {
                        on_loaded(log, io, base, result);
                        self.note_loaded(id, base);
                    }
                }
                Outcome::RemovedSegments(log, Err(error)) => {
                    if let Some((log, io)) = self.log_and_io(log) {
                        log.fail_with(io, "remove old segments", &error);
                    }
                }
                Outcome::RemovedLog(Err(error)) => {
                    tracing::error!(%error, "cannot remove a partition's directory");
                }
                Outcome::Found(ticket, result) => self.on_found(ticket, result),
                Outcome::Chunks(chunks) => self.io.take_chunks(chunks),
                Outcome::Checkpointed(Ok(()))
                | Outcome::RemovedSegments(_, Ok(()))
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
            if let Some((log, io)) = self.log_and_io(id)
                && log.is_online()
            {
                log.advance_sync(io);
                log.pump_writes(io);
            }
        }
    }

    fn on_opened(&mut self, id: LogId, result: io::Result<Box<OpenedLog>>) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        match result {
            Ok(opened) => {
                io.stats.recovered_bytes += opened.report.bytes_rescued;
                log.become_online(*opened);
                io.events.push(StoreEvent::Online { log: id });
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
                let Some(index) = index else {
                    return;
                };
                log.settling -= 1;
                log.set_durable(io, offset);
                if let Some(segment) = log.segment_of_mut(base) {
                    segment.index = SegmentIndex::Loaded(index);
                }
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
            if let Some((log, _)) = self.log_and_io(id)
                && let Some(segment) = log.segment_of_mut(base)
            {
                segment.index = SegmentIndex::Absent;
                segment.file = None;
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
                    }
                    FlushPolicy::Os => false,
                };
                if wanted && due {
                    log.begin_sync(io, false);
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

    /// Hands changed recovery points and log starts to the helper.
    pub(crate) fn write_checkpoints(&mut self) {
        let mut recovery_points = OffsetMap::new();
        let mut log_starts = OffsetMap::new();
        for slot in &mut self.slots {
            let Some(log) = slot.log.as_deref_mut() else {
                continue;
            };
            let now = (log.recovery_point, log.start);
            if log.segments.is_empty() || log.checkpointed == now {
                continue;
            }
            log.checkpointed = now;
            let key = (log.topic.clone(), log.partition);
            recovery_points.insert(key.clone(), now.0);
            log_starts.insert(key, now.1);
        }
        let removed = std::mem::take(&mut self.removed);
        if !recovery_points.is_empty() || !removed.is_empty() {
            self.io.job(Job::Checkpoints {
                data_dir: self.options.data_dir.clone(),
                recovery_points,
                log_starts,
                removed,
            });
        }
    }

    /// Removes segments past retention, forgets silent producers.
    fn check_retention(&mut self, now: Now) {
        let expiration = self.options.producer_id_expiration_ms;
        let ids: Vec<LogId> = self.logs().map(|log| log.id).collect();
        for id in ids {
            let Some((log, io)) = self.log_and_io(id) else {
                continue;
            };
            if log.is_online() {
                log.producers.expire(now.wall_ms, expiration);
                if log.active_is_expired(now.wall_ms) {
                    let _ = log.roll(io);
                }
                log.retain(now.wall_ms);
            }
            self.remove_old_segments(id);
        }
    }

    /// Moves the log's start to `before` (-1: the high watermark); returns the start.
    ///
    /// # Errors
    /// The offset is past the end, or the log is not online.
    pub fn delete_records(&mut self, id: LogId, before: Offset) -> Result<Offset, ErrorCode> {
        let Some((log, _)) = self.log_and_io(id) else {
            return Err(ErrorCode::UnknownTopicOrPartition);
        };
        match log.state {
            LogState::Online => {}
            LogState::Opening => return Err(ErrorCode::LeaderNotAvailable),
            LogState::Offline(code) => return Err(code),
        }
        let before = if before == -1 { log.end } else { before };
        if before < 0 || before > log.end {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        if before > log.start {
            log.set_start(before);
            self.timers.checkpoint_now();
            self.remove_old_segments(id);
        }
        Ok(self.log(id).map_or(before, |log| log.start))
    }

    /// Removes the files of segments that end at or before the log's start.
    fn remove_old_segments(&mut self, id: LogId) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        if !log.is_online() {
            return;
        }
        let mut bases = Vec::new();
        while log.segments.len() > 1
            && log.segments[1].base <= log.start
            && log.segments[0].base < log.writer.base
            && matches!(
                log.segments[0].index,
                SegmentIndex::Loaded(_) | SegmentIndex::Absent
            )
        {
            bases.extend(log.segments.pop_front().map(|segment| segment.base));
        }
        let Some(last) = bases.last().copied() else {
            return;
        };
        while log
            .extents
            .front()
            .is_some_and(|extent| extent.segment_base <= last)
        {
            if let Some(extent) = log.extents.pop_front() {
                log.extents_written = log.extents_written.saturating_sub(1);
                io.free(extent.id);
            }
        }
        io.job(Job::RemoveSegments {
            log: log.id,
            directory: log.directory.clone(),
            bases,
        });
    }

    /// Writes and syncs everything, blocking, moves the recovery points to the ends, and marks the
    /// stop as clean.
    ///
    /// # Errors
    /// Something could not be written; it stays in the region, and the stop is not a clean one.
    pub fn shutdown(mut self, now: Now) -> Result<(), OpenError> {
        let ids: Vec<LogId> = self.logs().map(|log| log.id).collect();
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
        for id in &ids {
            if let Some((log, io)) = self.log_and_io(*id)
                && log.is_online()
                && log.recovery_point < log.end
            {
                let job = log.closing_job();
                io.job(job);
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
                std::thread::yield_now();
            }
            events.clear();
        }
    }
}

impl Log {
    /// Takes over what the helper found.
    fn become_online(&mut self, opened: OpenedLog) {
        let mut segments: VecDeque<Segment> = VecDeque::new();
        for sealed in &opened.sealed {
            segments.push_back(Segment {
                base: sealed.base,
                size: sealed.size,
                newest: sealed.newest,
                first_ms: None,
                file: None,
                index: SegmentIndex::Absent,
                loading: false,
                snapshot: None,
            });
        }
        let active = &opened.active;
        segments.push_back(Segment {
            base: active.base,
            size: active.size,
            newest: active.newest,
            first_ms: opened.first_timestamp,
            file: Some(opened.active_file),
            index: SegmentIndex::Growing(opened.index),
            loading: false,
            snapshot: None,
        });
        self.segments = segments;
        self.writer = Writer::at(active.base, active.size);
        self.parked_block = opened.tail_block;
        self.index_bytes = opened.index_bytes;
        self.start = opened.start;
        self.end = opened.end;
        // Recovery synced what it validated.
        self.durable = opened.end;
        self.recovery_point = opened.recovery_point;
        self.checkpointed = opened.checkpointed;
        self.producers = opened.producers;
        self.epochs = opened.epochs;
        self.epochs_changed = true;
        self.state = LogState::Online;
        let report = opened.report;
        if report.bytes_rescued + report.bytes_cut + report.set_aside > 0 {
            tracing::info!(
                topic = self.topic,
                partition = self.partition,
                end = self.end,
                batches_validated = report.batches_validated,
                bytes_rescued = report.bytes_rescued,
                bytes_cut = report.bytes_cut,
                set_aside = report.set_aside,
                "recovered"
            );
        }
    }

    /// True when every byte is written and settled but for the active segment's end.
    fn is_on_disk(&self) -> bool {
        self.writer.base == self.active().base
            && self.writer.written == self.active().size
            && self.settling == 0
            && matches!(self.sync, SyncState::Idle)
    }

    /// Cuts the padding, syncs, writes index, producers and epochs.
    fn closing_job(&mut self) -> Job {
        let index = match &self.active().index {
            SegmentIndex::Growing(index) => Arc::new(index.clone()),
            _ => Arc::default(),
        };
        let (snapshot, epochs) = (self.snapshot(), self.take_epochs());
        let active = self.active();
        Job::Settle(Box::new(SettleJob {
            log: self.id,
            directory: self.directory.clone(),
            base: active.base,
            size: active.size,
            index,
            newest: active.newest,
            snapshot,
            truncate: true,
            sync: true,
            epochs,
            seals: false,
        }))
    }

    /// A log that had no full block to write in its time grows by smaller extents.
    fn shrink_extents(&mut self) {
        let waiting = self.active().size.saturating_sub(self.writer.submitted) as usize;
        if waiting < self.extent_bytes / 4 {
            self.extent_bytes = (self.extent_bytes / 2).max(crate::append::EXTENT_BYTES_MIN);
        }
    }

    fn set_start(&mut self, start: Offset) {
        self.start = start;
        self.epochs_changed |= self.epochs.truncate_start(start);
    }

    fn active_is_expired(&self, now_ms: i64) -> bool {
        let active = self.active();
        let by_time = self.config.cleanup_policy == CleanupPolicy::Delete
            && self.config.retention_ms >= 0
            && active
                .newest
                .is_some_and(|newest| now_ms - newest.0 > self.config.retention_ms);
        active.size > 0 && by_time
    }

    /// Moves the start past segments that are too old or too many (`retention.ms`,
    /// `retention.bytes`).
    fn retain(&mut self, now_ms: i64) {
        if self.config.cleanup_policy != CleanupPolicy::Delete {
            return;
        }
        let mut bytes = self.bytes();
        let mut start = self.start;
        for at in 0..self.segments.len() - 1 {
            let segment = &self.segments[at];
            let keep_ms = self.config.retention_ms;
            let newest = segment.newest.map_or(i64::MIN, |newest| newest.0);
            let old = keep_ms >= 0 && now_ms.saturating_sub(newest) > keep_ms;
            let keep_bytes = self.config.retention_bytes;
            let many = keep_bytes >= 0 && bytes.saturating_sub(segment.size) >= keep_bytes as u64;
            if !old && !many {
                break;
            }
            bytes -= segment.size;
            start = start.max(self.segment_end(at));
        }
        if start > self.start {
            self.set_start(start);
        }
    }
}
