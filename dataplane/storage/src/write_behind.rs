//! Writing the tail to its segment files, syncing, settling.

use crate::api::{LogState, StoreEvent};
use crate::append::EXTENT_BYTES_MAX;
use crate::index::GrowingIndex;
use crate::io::{Io, Operation};
use crate::jobs::{Job, SettleJob, Snapshot};
use crate::log::{
    Log, SegmentIndex, SyncState, SyncTarget, TailExtent, WRITES_MAX, WriteInFlight, Writer,
};
use crate::room::Garbage;
use precursor_disk::{BLOCK, DiskFile};
use precursor_model::{ErrorCode, FlushPolicy, Offset};
use std::sync::Arc;

/// Most bytes of one write.
const WRITE_BYTES_MAX: u64 = 1 << 20;
/// Most room that a log under load reserves at a time. It is never more than a quarter of what its
/// segment holds: a thousand logs under load reserve no more than a part of what they have written.
const RESERVED_BYTES_MAX: u64 = 256 << 20;
/// A larger commit pays for its own blocks.
const SMALL_COMMIT_BYTES_MAX: u64 = 64 << 10;
/// How far small commits are written ahead of.
const ZEROED_BYTES: u64 = 256 << 10;
/// No space left, and no more of it for this user.
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// Whether it is room that the operating system lacked.
pub(crate) fn is_for_want_of_space(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ENOSPC | EDQUOT))
}

impl Writer {
    /// At the end of a segment whose bytes up to `position` are on disk.
    pub fn at(base: Offset, position: u64) -> Writer {
        Writer {
            base,
            submitted: position,
            written: position,
            reserved: 0,
            zeroed: 0,
            in_flight: std::collections::VecDeque::with_capacity(WRITES_MAX),
            has_no_space: false,
            force: (base, 0),
        }
    }
}

impl Log {
    /// Begins every write that is due: whole blocks of full extents and of each MiB, and what is
    /// forced.
    pub fn pump_writes(&mut self, io: &mut Io) {
        while self.is_online() && !self.writer.has_no_space && self.begin_write(io) {}
    }

    /// True when a write of the active segment could begin without being forced.
    pub fn has_full_write(&self) -> bool {
        let active = self.active();
        if self.writer.base != active.base {
            return self.writer.in_flight.is_empty();
        }
        let start = self.writer.submitted;
        active.size / WRITE_BYTES_MAX > start / WRITE_BYTES_MAX
            || self
                .extent_at(active.base, start)
                .is_some_and(|at| self.extents[at].used == self.extents[at].size)
    }

    fn begin_write(&mut self, io: &mut Io) -> bool {
        let base = self.writer.base;
        let is_active = base == self.active().base;
        let Some(segment) = self.segment_of(base) else {
            return false;
        };
        let (limit, file) = (segment.size, segment.file.clone());
        let submitted = self.writer.submitted;
        if submitted >= limit {
            let complete = !is_active && self.writer.in_flight.is_empty() && file.is_some();
            if complete {
                self.finish_segment(io);
            }
            return complete;
        }
        let Some(file) = file else {
            return false;
        };
        let start = submitted / BLOCK * BLOCK;
        // Two writes of one block under way could land in either order.
        let mut under_way = self.writer.in_flight.iter().filter(|write| !write.done);
        let overlaps = under_way.any(|write| start < write.padded);
        if overlaps || self.writer.in_flight.len() == WRITES_MAX {
            return false;
        }
        let Some(at) = self.extent_at(base, start) else {
            return false;
        };
        let extent = self.extents[at];
        let boundary = (start / WRITE_BYTES_MAX + 1) * WRITE_BYTES_MAX;
        let end = limit.min(extent.end()).min(boundary);
        let whole = end == boundary || end == extent.end();
        let forced = !is_active || (self.writer.force.0 == base && submitted < self.writer.force.1);
        if !whole && !forced {
            return false;
        }
        let padded = match is_active && !whole {
            true => self.padded_end(end - start, end, &extent),
            false => end.next_multiple_of(BLOCK),
        };
        let offset = |position: u64| (position - extent.position) as usize;
        if padded > end {
            // What lies behind the last batch must not look like one.
            io.pool_mut().bytes_mut(extent.id)[offset(end)..offset(padded)].fill(0);
        }
        let operation = Operation::Write {
            log: self.id,
            base,
            start: submitted,
            end,
            from: start,
            extent: extent.id,
        };
        if !io.write(
            self.root,
            &file,
            operation,
            start,
            offset(start),
            (padded - start) as usize,
        ) {
            self.starve(io);
            return false;
        }
        self.writer.in_flight.push_back(WriteInFlight {
            start: submitted,
            end,
            padded,
            done: false,
            refused: false,
        });
        self.writer.submitted = end;
        self.writer.zeroed = self.writer.zeroed.max(padded);
        if extent.size as usize == EXTENT_BYTES_MAX {
            self.reserve_room(io, &file, end);
        }
        true
    }

    /// Whether the active segment's file goes on behind its last batch for more than a block.
    pub fn has_room_ahead(&self) -> bool {
        let used = self.active().size.next_multiple_of(BLOCK);
        self.writer.reserved > 0 || self.writer.zeroed > used
    }

    /// Where a commit of so many bytes that ends at `end` stops writing. What the file grows by, and
    /// each block that was never written, is for the file system to note before the sync is through,
    /// which takes as long again as the sync itself. So a small commit that has to do so writes zeros
    /// ahead, and those behind it overwrite them.
    fn padded_end(&self, bytes: u64, end: u64, extent: &TailExtent) -> u64 {
        let padded = end.next_multiple_of(BLOCK);
        let is_small =
            self.config.flush_policy == FlushPolicy::EveryWrite && bytes <= SMALL_COMMIT_BYTES_MAX;
        if !is_small || padded <= self.writer.zeroed {
            return padded;
        }
        let most = u64::from(self.config.segment_bytes).next_multiple_of(BLOCK);
        let ahead = padded + ZEROED_BYTES;
        padded.max(ahead.min(extent.end()).min(most))
    }

    /// A log under load has room in its file before it writes there: a direct write that makes a
    /// file longer excludes all others of that file, and cannot begin without a worker.
    fn reserve_room(&mut self, io: &mut Io, file: &DiskFile, written: u64) {
        let most = u64::from(self.config.segment_bytes).next_multiple_of(BLOCK);
        let reserved = self.writer.reserved;
        let room = (written / 4).min(RESERVED_BYTES_MAX);
        // In time, before what was reserved is used up.
        if written + room / 2 <= reserved || reserved >= most {
            return;
        }
        let end = most.min((written + room).next_multiple_of(BLOCK));
        self.writer.reserved = end;
        io.job(self.root, Job::Reserve(file.clone(), end));
    }

    /// A write ended.
    pub fn on_written(
        &mut self,
        io: &mut Io,
        base: Offset,
        range: (u64, u64),
        from: u64,
        result: Result<u32, i32>,
    ) {
        let (start, end) = range;
        let expected = end.next_multiple_of(BLOCK) - from;
        match result {
            Err(ENOSPC | EDQUOT) => return self.found_no_space(io, start),
            Err(errno) => return self.fail(io, "write", errno),
            Ok(count) if u64::from(count) < expected => {
                let whole = u64::from(count) / BLOCK * BLOCK;
                return self.write_rest(io, base, range, from + whole, whole == 0);
            }
            Ok(_) if self.writer.has_no_space => {
                self.note_written(start);
                return self.take_back_writes(io);
            }
            Ok(_) => {}
        }
        self.note_written(start);
        self.mark_written(io);
        self.advance_sync(io);
        self.pump_writes(io);
    }

    /// A write is on disk, and so are those before it that were done already.
    fn note_written(&mut self, start: u64) {
        let mut in_flight = self.writer.in_flight.iter_mut();
        if let Some(write) = in_flight.find(|w| w.start == start && !w.done) {
            write.done = true;
        }
        while let Some(write) = self.writer.in_flight.front().filter(|write| write.done) {
            self.writer.written = write.end;
            self.writer.in_flight.pop_front();
        }
    }

    /// A write found no space. What was appended stays in the region, producers are refused, and it
    /// is written when there is room again.
    fn found_no_space(&mut self, io: &mut Io, start: u64) {
        let mut in_flight = self.writer.in_flight.iter_mut();
        if let Some(write) = in_flight.find(|w| w.start == start && !w.done) {
            write.refused = true;
        }
        self.writer.has_no_space = true;
        io.directories.no_space(self.root);
        self.take_back_writes(io);
    }

    /// Once no write is under way any more: those behind the one that was refused are to be done
    /// again.
    fn take_back_writes(&mut self, io: &mut Io) {
        let in_flight = &mut self.writer.in_flight;
        if in_flight.iter().all(|write| write.done || write.refused) {
            in_flight.clear();
            self.writer.submitted = self.writer.written;
            self.writer.reserved = 0;
            self.writer.zeroed = 0;
            self.mark_written(io);
            self.advance_sync(io);
        }
    }

    /// There is room again, or there may be.
    pub fn retry_writes(&mut self, io: &mut Io) {
        if self.writer.has_no_space && self.writer.in_flight.is_empty() {
            self.writer.has_no_space = false;
            self.pump_writes(io);
            self.advance_sync(io);
        }
    }

    /// The disk took a part only: what is left is tried once more, and then says why.
    fn write_rest(
        &mut self,
        io: &mut Io,
        base: Offset,
        (start, end): (u64, u64),
        from: u64,
        no_progress: bool,
    ) {
        let segment = self.segment_of(base);
        let file = segment.and_then(|segment| segment.file.clone());
        let (Some(file), Some(at), false) = (file, self.extent_at(base, from), no_progress) else {
            return self.found_no_space(io, start);
        };
        let extent = self.extents[at];
        let operation = Operation::Write {
            log: self.id,
            base,
            start,
            end,
            from,
            extent: extent.id,
        };
        let length = (end.next_multiple_of(BLOCK) - from) as usize;
        let offset = (from - extent.position) as usize;
        if !io.write(self.root, &file, operation, from, offset, length) {
            self.found_no_space(io, start);
        }
    }

    /// The writer's segment is on disk: the helper settles it, the writer goes to the next.
    fn finish_segment(&mut self, io: &mut Io) {
        let base = self.writer.base;
        let Some(segment) = self.segment_of_mut(base) else {
            return;
        };
        let index = match &segment.index {
            SegmentIndex::Sealing(index) => index.clone(),
            _ => return,
        };
        let (size, newest) = (segment.size, segment.newest);
        let Some(mut snapshot) = segment.snapshot.take() else {
            return;
        };
        self.add_epochs(&mut snapshot);
        let next = snapshot.offset;
        io.job(
            self.root,
            Job::Settle(SettleJob {
                log: self.id,
                directory: self.directory.clone(),
                base,
                size,
                index,
                newest,
                snapshot,
                truncate: true,
                sync: true,
                seals: true,
            }),
        );
        self.settling += 1;
        self.writer.base = next;
        self.writer.submitted = 0;
        self.writer.written = 0;
        self.writer.reserved = 0;
        self.writer.zeroed = 0;
        self.mark_written(io);
    }

    /// Writes everything that was appended until now.
    pub fn force_writes(&mut self, io: &mut Io) {
        self.writer.force = (self.active().base, self.active().size);
        self.pump_writes(io);
    }

    /// Begins to make everything appended until now durable.
    pub fn begin_sync(&mut self, io: &mut Io) {
        if matches!(self.sync, SyncState::Idle) && self.is_online() {
            self.sync_and_settle(io, None);
        }
    }

    /// As [`Self::begin_sync`], and the recovery point then follows; not before there is room for
    /// what the helper needs.
    pub fn begin_settling(&mut self, io: &mut Io) {
        if !matches!(self.sync, SyncState::Idle) || !self.is_online() {
            return;
        }
        let Some(mut room) = self.settle_room(io) else {
            return;
        };
        if let (SegmentIndex::Growing(index), Some(copy)) =
            (&self.active().index, Arc::get_mut(&mut room.index))
            && index.copy_to(copy, &mut io.stock.chunks)
        {
            io.stats.made_in_place += 1;
        }
        let aborted = self.active().aborted.copy_to(room.aborted);
        let snapshot = self.snapshot(room.producers, room.epochs, aborted);
        self.sync_and_settle(io, Some((snapshot, room.index)));
    }

    fn sync_and_settle(&mut self, io: &mut Io, settle: Option<(Snapshot, Arc<GrowingIndex>)>) {
        self.sync = SyncState::Writing(SyncTarget {
            base: self.active().base,
            position: self.active().size,
            offset: self.end,
            settle,
        });
        self.last_sync_us = io.now.monotonic_us;
        self.force_writes(io);
        self.advance_sync(io);
    }

    /// Goes from writing to syncing once the bytes are there and all before them is durable.
    pub fn advance_sync(&mut self, io: &mut Io) {
        let SyncState::Writing(target) = &self.sync else {
            return;
        };
        let (base, position) = (target.base, target.position);
        let passed = self.writer.base > base;
        let reached = self.writer.base == base && self.writer.written >= position;
        if self.settling > 0 || !(passed || reached) {
            return;
        }
        if passed {
            // The segment was settled meanwhile, which synced it.
            let offset = target.offset;
            let SyncState::Writing(target) = std::mem::replace(&mut self.sync, SyncState::Idle)
            else {
                return;
            };
            discard_settling(io, target.settle);
            return self.set_durable(io, offset, base, position);
        }
        let Some(file) = self.active_file_of(base) else {
            return;
        };
        if !io.sync(self.root, &file, self.id) {
            self.starve(io);
            return;
        }
        if let SyncState::Writing(target) = std::mem::replace(&mut self.sync, SyncState::Idle) {
            self.sync = SyncState::Syncing(target);
        }
    }

    /// The disk's queue is full: the log's turn comes when something of it has ended.
    fn starve(&mut self, io: &mut Io) {
        if !std::mem::replace(&mut self.is_starved, true) {
            io.starved.push_back(self.id);
        }
    }

    fn active_file_of(&self, base: Offset) -> Option<precursor_disk::DiskFile> {
        self.segment_of(base)?.file.clone()
    }

    /// An fdatasync ended.
    pub fn on_synced(&mut self, io: &mut Io, result: Result<u32, i32>) {
        if let Err(errno) = result {
            return self.fail(io, "sync", errno);
        }
        let SyncState::Syncing(target) = std::mem::replace(&mut self.sync, SyncState::Idle) else {
            return;
        };
        self.set_durable(io, target.offset, target.base, target.position);
        // A segment that was rolled meanwhile is settled whole; its index must not go back.
        let is_active = target.base == self.active().base;
        if !is_active {
            discard_settling(io, target.settle);
        } else if let Some((mut snapshot, index)) = target.settle {
            self.add_epochs(&mut snapshot);
            self.recovery_position = target.position;
            io.job(
                self.root,
                Job::Settle(SettleJob {
                    log: self.id,
                    directory: self.directory.clone(),
                    base: target.base,
                    size: target.position,
                    index,
                    newest: None,
                    snapshot,
                    truncate: false,
                    sync: false,
                    seals: false,
                }),
            );
        }
        self.pump_writes(io);
    }

    /// Everything before `offset`, which is at `position` of the segment at `base`, is on disk.
    pub fn set_durable(&mut self, io: &mut Io, offset: Offset, base: Offset, position: u64) {
        if offset > self.durable {
            self.durable = offset;
            self.durable_base = base;
            self.durable_position = position;
            io.events.push(StoreEvent::Durable {
                log: self.id,
                offset,
            });
        }
    }

    /// The disk failed: this log is offline until the next start, others go on. What was
    /// acknowledged and is not on disk stays in the region for that start.
    pub fn fail(&mut self, io: &mut Io, what: &str, errno: i32) {
        let error = std::io::Error::from_raw_os_error(errno);
        self.fail_with(io, what, &error);
    }

    pub fn fail_with(&mut self, io: &mut Io, what: &str, error: &std::io::Error) {
        if matches!(self.state, LogState::Offline(_)) {
            return;
        }
        tracing::error!(
            topic = %self.topic,
            partition = self.partition,
            directory = %self.directory.display(),
            %error,
            "cannot {what}: the partition is offline until the next start"
        );
        self.go_offline(io);
        // Is it this log alone, or its whole directory?
        let root = self.root;
        let path = io.directories.path(root).to_owned();
        io.job(root, Job::Probe(root, path));
    }

    /// The log is offline until the next start.
    pub fn go_offline(&mut self, io: &mut Io) {
        if matches!(self.state, LogState::Offline(_)) {
            return;
        }
        let code = ErrorCode::KafkaStorageError;
        self.state = LogState::Offline(code);
        io.events.push(StoreEvent::Offline {
            log: self.id,
            error: code,
        });
    }
}

/// What was to move a recovery point that has moved further already.
fn discard_settling(io: &mut Io, settle: Option<(Snapshot, Arc<GrowingIndex>)>) {
    if let Some((snapshot, index)) = settle {
        io.discard(Garbage::Snapshot(snapshot));
        io.retire_index(SegmentIndex::Sealing(index));
    }
}
