//! What every part of a store works with: the disk, the pool, the helper's queue, the events.

use crate::api::{LogId, Now, StoreEvent};
use crate::directories::LogDirectories;
use crate::jobs::{Job, Outcome};
use crate::stock::Stock;
use precursor_disk::{Completion, Disk, DiskFile, Helper, MemoryRange};
use precursor_model::Offset;
use precursor_shm::{ExtentId, ExtentPool};
use std::collections::VecDeque;
use std::sync::Arc;

/// Jobs that wait for the helper, and events that wait for the shard, before their lists grow.
const JOBS: usize = 256;
const EVENTS: usize = 64;

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
}

pub(crate) struct Io {
    pub disk: Disk<ExtentPool>,
    helper: Helper<Job, Outcome>,
    jobs: VecDeque<Job>,
    operations: Vec<Option<Operation>>,
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
    pub now: Now,
}

impl Io {
    pub fn new(
        disk: Disk<ExtentPool>,
        helper: Helper<Job, Outcome>,
        directories: Arc<LogDirectories>,
        now: Now,
    ) -> Io {
        let depth = disk.capacity();
        let units = disk.memory().usage().bytes / 4096;
        Io {
            disk,
            helper,
            jobs: VecDeque::with_capacity(JOBS),
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

    /// Frees an extent now, or when the last gather lets go of it.
    pub fn free(&mut self, id: ExtentId) {
        if self.is_pinned(id) {
            self.pins[id.unit()].1 = true;
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
        file: &DiskFile,
        operation: Operation,
        position: u64,
        offset: usize,
        length: usize,
    ) -> bool {
        let Operation::Write { extent, .. } = operation else {
            return false;
        };
        let Some(token) = self.operations_free.pop() else {
            return false;
        };
        let range = self.range(extent, offset, length);
        let begun = self.disk.write(file, position, range, u64::from(token));
        self.begun(token, begun.then_some(operation));
        if begun {
            self.pin(extent);
        }
        begun
    }

    /// Begins a read into a whole extent.
    pub fn read(&mut self, file: &DiskFile, window: u32, position: u64, id: ExtentId) -> bool {
        let Some(token) = self.operations_free.pop() else {
            return false;
        };
        let range = self.range(id, 0, self.pool().size(id));
        let begun = self.disk.read(file, position, range, u64::from(token));
        self.begun(token, begun.then_some(Operation::Read { window }));
        begun
    }

    pub fn sync(&mut self, file: &DiskFile, log: LogId) -> bool {
        let Some(token) = self.operations_free.pop() else {
            return false;
        };
        let begun = self.disk.sync(file, u64::from(token));
        let begun_us = self.now.monotonic_us;
        self.begun(token, begun.then_some(Operation::Sync { log, begun_us }));
        begun
    }

    fn begun(&mut self, token: u32, operation: Option<Operation>) {
        if operation.is_none() {
            self.operations_free.push(token);
        }
        self.operations[token as usize] = operation;
    }

    /// Takes one ended operation.
    pub fn next_completion(&mut self) -> Option<(Operation, Result<u32, i32>)> {
        if self.completions.is_empty() && !self.disk.poll(&mut self.completions) {
            return None;
        }
        let completion = self.completions.pop()?;
        let operation = self.operations[completion.token as usize].take()?;
        self.operations_free.push(completion.token as u32);
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
                self.stats.sync_us_max = self.stats.sync_us_max.max(took_us);
            }
            Operation::Read { .. } => {
                self.stats.disk_reads += 1;
                self.stats.disk_read_bytes += u64::from(bytes);
            }
        }
    }

    /// Queues a job for the helper.
    pub fn job(&mut self, job: Job) {
        if self.jobs.len() == self.jobs.capacity() {
            self.stats.made_in_place += 1;
        }
        self.jobs.push_back(job);
        self.send_jobs();
    }

    fn send_jobs(&mut self) {
        while let Some(job) = self.jobs.pop_front() {
            if let Err(job) = self.helper.try_send(job) {
                self.jobs.push_front(job);
                return;
            }
        }
    }

    /// Takes one outcome of the helper.
    pub fn next_outcome(&mut self) -> Option<Outcome> {
        let outcome = self.helper.try_receive()?;
        self.send_jobs();
        Some(outcome)
    }

    /// True while the disk or the helper owes something.
    pub fn is_busy(&self) -> bool {
        self.disk.is_busy() || self.helper.is_busy() || !self.jobs.is_empty()
    }

    /// True when names of extents that are gone fill the list of what can be evicted.
    pub fn has_stale_names(&self) -> bool {
        self.evictable.len() > self.pins.len() + self.pins.len() / 4
    }

    /// True when the helper is so far behind that work which can wait should.
    pub fn is_behind(&self) -> bool {
        self.jobs.len() >= JOBS / 4
    }

    /// Makes the lists long enough for this many logs.
    pub fn expect_logs(&mut self, logs: usize) {
        self.stock.expect_logs(logs);
        reserve(&mut self.starved, logs);
        reserve(&mut self.jobs, JOBS + 4 * logs);
        let events = EVENTS + 2 * logs;
        self.events
            .reserve(events.saturating_sub(self.events.len()));
    }
}

/// Makes a list long enough for `count` entries.
pub(crate) fn reserve<T>(list: &mut VecDeque<T>, count: usize) {
    list.reserve(count.saturating_sub(list.len()));
}
