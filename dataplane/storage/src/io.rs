//! What every part of a store works with: the disk, the pool, the helper's queue, the events.

use crate::api::{LogId, Now, StoreEvent};
use crate::directories::LogDirectories;
use crate::jobs::{Job, Outcome};
use crate::lanes::{JobHelper, Lanes, directory_lanes};
use crate::room::Garbage;
use crate::stock::Stock;
use precursor_disk::{Completion, Disk, DiskFile, MemoryRange};
use precursor_model::Offset;
use precursor_shm::{ExtentId, ExtentPool, LatencyCounts};
use std::collections::VecDeque;
use std::sync::Arc;

/// Events that wait for the shard before their list grows.
const EVENTS: usize = 64;
/// Operations that each of several directories may have under way at least.
const OPERATIONS_MIN: usize = 16;
/// A directory whose disk and helper gave no answer for so long may hold no more than its share of
/// the memory, if there are others.
const SILENT_US: u64 = 100_000;
/// A directory's share of the memory is never smaller than this part.
const SHARES_MAX: usize = 4;

/// Operations that each of so many directories may have under way, of `depth` for one alone.
pub(crate) fn operations_of_one(directories: usize, depth: usize) -> usize {
    match directories {
        0 | 1 => depth,
        many => (depth / many).max(OPERATIONS_MIN),
    }
}

/// What an operation of the disk was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Write {
        log: LogId,
        base: Offset,
        start: u64,
        end: u64,
        /// Where this attempt began, in the file.
        from: u64,
        extent: ExtentId,
    },
    Sync {
        log: LogId,
        begun_us: u64,
    },
    Read {
        window: u32,
    },
}

/// Counters for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    pub disk_reads: u64,
    pub disk_read_bytes: u64,
    pub disk_writes: u64,
    pub disk_write_bytes: u64,
    pub disk_syncs: u64,
    pub disk_errors: u64,
    /// What syncs took: all together, and the longest, in microseconds.
    pub sync_us: u64,
    pub sync_us_max: u64,
    /// Reads that memory answered, and those that needed the disk.
    pub reads_hot: u64,
    pub reads_cold: u64,
    /// Of reads from disk, those that found their segment's index in memory, and others.
    pub index_hits: u64,
    pub index_misses: u64,
    /// Pieces of segments (256 KiB) that reads from disk found in memory, and those that were read.
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// Segments of all logs that are or were online, now.
    pub segments: u64,
    /// Microseconds from the opening of the store until every log that was known by then was open.
    pub recovery_us: u64,
    /// Bytes that only the region had, written by recovery.
    pub recovered_bytes: u64,
    /// Appends that found no memory.
    pub appends_busy: u64,
    /// Times that the shard's thread had to make memory which the helper should have made.
    pub made_in_place: u64,
    /// Runs of compaction that came to an end.
    pub cleaner_runs: u64,
    /// Bytes of segments that compaction went through, and what it made of them.
    pub cleaner_bytes_read: u64,
    pub cleaner_bytes_written: u64,
    pub cleaner_records_dropped: u64,
    /// Places in segments whose bytes made no batch and were taken out, and those bytes.
    pub quarantined_batches: u64,
    pub quarantined_bytes: u64,
    /// Segments that were put into containers, their bytes, and the containers'.
    pub cold_segments: u64,
    pub cold_bytes_before: u64,
    pub cold_bytes_after: u64,
    /// Segments that could not be compressed.
    pub cold_failures: u64,
    /// Chunks of containers that were decompressed, and those that could not be.
    pub cold_chunks_read: u64,
    pub cold_chunks_damaged: u64,
    /// Batches that a device compressed, and those that it failed at.
    pub hardware_batches: u64,
    pub hardware_failures: u64,
}

/// What one directory has under way.
#[derive(Clone, Copy, Default)]
struct UnderWay {
    operations: usize,
    /// When an operation last ended, or began when there was none.
    since_us: u64,
    /// Bytes of extents that are not on disk.
    unwritten: usize,
}

pub(crate) struct Io {
    pub disk: Disk<ExtentPool>,
    lanes: Lanes,
    /// By directory.
    under_way: Box<[UnderWay]>,
    /// What each may have under way at most.
    operations_of_one: usize,
    /// Each with its directory.
    operations: Vec<Option<(Operation, u16)>>,
    operations_free: Vec<u32>,
    completions: Vec<Completion>,
    /// By the unit at which an extent begins: how many gathers hold it, and whether it is to be
    /// freed when none does.
    pins: Box<[(u32, bool)]>,
    /// Logs with an extent that is on disk, oldest first; a log is named once per extent, and its
    /// name may outlive that.
    pub evictable: VecDeque<LogId>,
    /// An append found no memory since the last `MemoryFreed`.
    pub memory_wanted: bool,
    /// Something was let go of since the last append that found no memory.
    pub memory_made: bool,
    /// Bytes that the last append lacked; 0: it lacked no memory.
    pub memory_short: usize,
    /// Extents may be smaller than wanted: there is no better memory.
    pub small_extents: bool,
    /// Logs that could not begin a write because the disk's queue was full.
    pub starved: VecDeque<LogId>,
    /// The disk has operations that the kernel does not know of yet.
    pub unsubmitted: bool,
    pub events: Vec<StoreEvent>,
    pub directories: Arc<LogDirectories>,
    pub stock: Stock,
    pub stats: StoreStats,
    /// What syncs took.
    pub sync_times: LatencyCounts,
    pub now: Now,
}

impl Io {
    pub fn new(
        disk: Disk<ExtentPool>,
        helpers: Vec<JobHelper>,
        directories: Arc<LogDirectories>,
        now: Now,
    ) -> Io {
        let depth = disk.capacity();
        let roots = directories.paths().count();
        let units = disk.memory().usage().bytes / 4096;
        Io {
            disk,
            lanes: Lanes::new(helpers),
            under_way: vec![UnderWay::default(); roots].into(),
            operations_of_one: operations_of_one(roots, depth).min(depth),
            operations: vec![None; depth],
            operations_free: (0..depth as u32).rev().collect(),
            completions: Vec::with_capacity(depth),
            pins: vec![(0, false); units].into(),
            evictable: VecDeque::with_capacity(units + units / 2),
            memory_wanted: false,
            memory_made: false,
            memory_short: 0,
            small_extents: false,
            starved: VecDeque::with_capacity(64),
            unsubmitted: false,
            events: Vec::with_capacity(EVENTS),
            directories,
            stock: Stock::new(),
            stats: StoreStats::default(),
            sync_times: LatencyCounts::default(),
            now,
        }
    }

    pub fn pool(&self) -> &ExtentPool {
        self.disk.memory()
    }

    pub fn pool_mut(&mut self) -> &mut ExtentPool {
        self.disk.memory_mut()
    }

    /// Keeps an extent from being freed.
    pub fn pin(&mut self, id: ExtentId) {
        self.pins[id.unit()].0 += 1;
    }

    pub fn unpin(&mut self, id: ExtentId) {
        self.memory_made = true;
        let pin = &mut self.pins[id.unit()];
        pin.0 -= 1;
        if *pin == (0, true) {
            pin.1 = false;
            self.pool_mut().free(id);
        }
    }

    pub fn is_pinned(&self, id: ExtentId) -> bool {
        self.pins[id.unit()].0 > 0
    }

    /// Frees an extent now, or when the last gather lets go of it: nobody else may wait for more in it.
    pub fn free(&mut self, id: ExtentId) {
        if self.is_pinned(id) {
            self.pins[id.unit()].1 = true;
            self.pool_mut().detach(id);
        } else {
            self.pool_mut().free(id);
        }
    }

    fn range(&self, id: ExtentId, offset: usize, length: usize) -> MemoryRange {
        MemoryRange {
            start: id.unit() * 4096 + offset,
            length,
        }
    }

    /// Begins a write of a part of an extent; false when the disk's queue is full. The extent is
    /// pinned until the write has ended.
    pub fn write(
        &mut self,
        root: u16,
        file: &DiskFile,
        operation: Operation,
        position: u64,
        offset: usize,
        length: usize,
    ) -> bool {
        let Operation::Write { extent, .. } = operation else {
            return false;
        };
        let Some(token) = self.token(root) else {
            return false;
        };
        let range = self.range(extent, offset, length);
        let lane = self.lane(root);
        let begun = self
            .disk
            .write(lane, file, position, range, u64::from(token));
        self.begun(root, token, begun.then_some(operation));
        if begun {
            self.pin(extent);
        }
        begun
    }

    /// Begins a read into a whole extent.
    pub fn read(
        &mut self,
        root: u16,
        file: &DiskFile,
        window: u32,
        position: u64,
        id: ExtentId,
    ) -> bool {
        let Some(token) = self.token(root) else {
            return false;
        };
        let range = self.range(id, 0, self.pool().size(id));
        let lane = self.lane(root);
        let begun = self
            .disk
            .read(lane, file, position, range, u64::from(token));
        self.begun(root, token, begun.then_some(Operation::Read { window }));
        begun
    }

    pub fn sync(&mut self, root: u16, file: &DiskFile, log: LogId) -> bool {
        let Some(token) = self.token(root) else {
            return false;
        };
        let begun = self.disk.sync(self.lane(root), file, u64::from(token));
        let begun_us = self.now.monotonic_us;
        let operation = Operation::Sync { log, begun_us };
        self.begun(root, token, begun.then_some(operation));
        begun
    }

    /// A name for an operation, unless the directory has its share under way: one whose disk does
    /// not answer leaves the rest to the others.
    fn token(&mut self, root: u16) -> Option<u32> {
        match self.under_way[usize::from(root)].operations < self.operations_of_one {
            true => self.operations_free.pop(),
            false => None,
        }
    }

    fn lane(&self, root: u16) -> usize {
        usize::from(root) % directory_lanes(self.under_way.len())
    }

    fn begun(&mut self, root: u16, token: u32, operation: Option<Operation>) {
        match operation {
            None => self.operations_free.push(token),
            Some(_) => {
                let under_way = &mut self.under_way[usize::from(root)];
                if under_way.operations == 0 {
                    under_way.since_us = self.now.monotonic_us;
                }
                under_way.operations += 1;
            }
        }
        self.operations[token as usize] = operation.map(|operation| (operation, root));
    }

    /// Counts an extent of a directory's log that is to be written.
    pub fn add_unwritten(&mut self, root: u16, bytes: usize) {
        self.under_way[usize::from(root)].unwritten += bytes;
    }

    /// An extent is on disk, or is not to be written any more.
    pub fn take_unwritten(&mut self, root: u16, bytes: usize) {
        let unwritten = &mut self.under_way[usize::from(root)].unwritten;
        *unwritten = unwritten.saturating_sub(bytes);
    }

    /// Bytes of memory that the logs of a directory may still take for what is to be written to it.
    /// A directory that does not answer has an end: the memory is not its alone.
    pub fn may_hold(&self, root: u16) -> usize {
        let roots = self.under_way.len();
        let under_way = &self.under_way[usize::from(root)];
        if roots == 1 {
            return usize::MAX;
        }
        if self.silent_us(root, self.now) < SILENT_US {
            return usize::MAX;
        }
        let share = self.pool().usage().bytes / roots.min(SHARES_MAX);
        share.saturating_sub(under_way.unwritten)
    }

    /// How long a directory owes an answer without having given any, in microseconds.
    pub fn silent_us(&self, root: u16, now: Now) -> u64 {
        let under_way = &self.under_way[usize::from(root)];
        let disk_us = match under_way.operations {
            0 => 0,
            _ => now.monotonic_us.saturating_sub(under_way.since_us),
        };
        disk_us.max(self.lanes.silent_us(root, now.monotonic_us))
    }

    /// True while a directory's disk or helper owes something.
    pub fn is_busy_with(&self, root: u16) -> bool {
        self.under_way[usize::from(root)].operations > 0 || self.lanes.is_busy_with(root)
    }

    /// Takes one ended operation.
    pub fn next_completion(&mut self) -> Option<(Operation, Result<u32, i32>)> {
        if self.completions.is_empty() && !self.disk.poll(&mut self.completions) {
            return None;
        }
        let completion = self.completions.pop()?;
        let (operation, root) = self.operations[completion.token as usize].take()?;
        self.operations_free.push(completion.token as u32);
        let under_way = &mut self.under_way[usize::from(root)];
        under_way.operations -= 1;
        under_way.since_us = self.now.monotonic_us;
        if let Operation::Write { extent, .. } = operation {
            self.unpin(extent);
        }
        self.count(&operation, completion.result);
        Some((operation, completion.result))
    }

    fn count(&mut self, operation: &Operation, result: Result<u32, i32>) {
        let Ok(bytes) = result else {
            self.stats.disk_errors += 1;
            return;
        };
        match operation {
            Operation::Write { .. } => {
                self.stats.disk_writes += 1;
                self.stats.disk_write_bytes += u64::from(bytes);
            }
            Operation::Sync { begun_us, .. } => {
                let took_us = self.now.monotonic_us.saturating_sub(*begun_us);
                self.stats.disk_syncs += 1;
                self.stats.sync_us += took_us;
                self.sync_times.record(took_us);
                self.stats.sync_us_max = self.stats.sync_us_max.max(took_us);
            }
            Operation::Read { .. } => {
                self.stats.disk_reads += 1;
                self.stats.disk_read_bytes += u64::from(bytes);
            }
        }
    }

    /// Queues a job for the helper of a log directory.
    pub fn job(&mut self, root: u16, job: Job) {
        self.queue(Some(root), job);
    }

    /// Queues a job that touches no file.
    pub fn memory_job(&mut self, job: Job) {
        self.queue(None, job);
    }

    fn queue(&mut self, root: Option<u16>, job: Job) {
        if !self.lanes.push(root, job, self.now.monotonic_us) {
            self.stats.made_in_place += 1;
        }
    }

    /// Has a helper close what is open of a directory's files: that may block.
    pub fn close(&mut self, root: u16, garbage: Garbage) {
        self.job(root, Job::Discard(garbage));
    }

    /// Takes one outcome of a helper.
    pub fn next_outcome(&mut self) -> Option<Outcome> {
        self.lanes.next_outcome(self.now.monotonic_us)
    }

    /// True while the disk or a helper owes something.
    pub fn is_busy(&self) -> bool {
        self.disk.is_busy() || self.lanes.is_busy()
    }

    /// True when names of extents that are gone fill the list of what can be evicted.
    pub fn has_stale_names(&self) -> bool {
        self.evictable.len() > self.pins.len() + self.pins.len() / 4
    }

    /// True when a directory's helper is so far behind that work which can wait should.
    pub fn is_behind(&self, root: u16) -> bool {
        self.lanes.is_behind(root)
    }

    /// Makes the lists long enough for this many logs.
    pub fn expect_logs(&mut self, logs: usize) {
        self.stock.expect_logs(logs);
        reserve(&mut self.starved, logs);
        self.lanes.expect_logs(logs);
        let events = EVENTS + 2 * logs;
        self.events
            .reserve(events.saturating_sub(self.events.len()));
    }
}

/// Makes a list long enough for `count` entries.
pub(crate) fn reserve<T>(list: &mut VecDeque<T>, count: usize) {
    list.reserve(count.saturating_sub(list.len()));
}
