//! The store's part of an append: memory for it, and what follows it.

use crate::api::*;
use crate::memory::Evicted;
use crate::prepare::{By, Preparation, Spec, must_prepare};
use crate::store::Store;
use crate::transactions::Marker;
use precursor_model::{ErrorCode, FlushPolicy};
use precursor_shm::Buffer;

const UNKNOWN_LOG: AppendError = AppendError::NotOnline(ErrorCode::UnknownTopicOrPartition);

/// How often an append makes room before it is content with what there is: the memory that comes free
/// may be in pieces.
const RECLAIMS_MAX: usize = 4;

impl Store {
    /// Appends one record batch: validates it, copies it once, assigns its offsets.
    ///
    /// # Errors
    /// [`AppendError::Busy`] asks for the same call again, later; [`AppendError::Unprepared`] for
    /// [`Store::prepare`]; any other is the answer.
    pub fn append(
        &mut self,
        id: LogId,
        records: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        let append = |store: &mut Store| store.try_append(id, records, options);
        self.append_with(id, options.now, append)
    }

    /// Appends the marker that ends the open transaction of a producer (id, epoch): `commits`, or
    /// aborts it. `coordinator_epoch`: of who says so.
    ///
    /// # Errors
    /// As [`Store::append`]; the producer or the coordinator has a successor.
    pub fn append_marker(
        &mut self,
        id: LogId,
        producer: (i64, i16),
        commits: bool,
        coordinator_epoch: i32,
        now: Now,
    ) -> Result<Appended, AppendError> {
        let marker = Marker {
            aborts: !commits,
            coordinator_epoch,
        };
        let append = |store: &mut Store| {
            store.io.memory_short = 0;
            match store.log_and_io(id) {
                Some((log, io)) => log.append_marker(io, producer, marker, now.wall_ms),
                None => Err(UNKNOWN_LOG),
            }
        };
        self.append_with(id, now, append)
    }

    /// Gives a batch that is [`AppendError::Unprepared`] to the workers: `records[..length]`. `memory`
    /// is what the batch may be written anew into, from [`Preparation::into_memory`].
    ///
    /// # Errors
    /// Everything comes back when the workers have enough to do.
    pub fn prepare(
        &mut self,
        id: LogId,
        token: u64,
        (records, length): (Buffer, usize),
        memory: Vec<u8>,
        options: AppendOptions,
    ) -> Result<(), (Buffer, Vec<u8>)> {
        let Some(log) = self.log(id).filter(|_| self.workers.has_room()) else {
            return Err((records, memory));
        };
        let spec = Spec::new(&log.config, options);
        let preparation = Preparation {
            token,
            spec,
            records,
            length,
            rewritten: memory,
            by: By::default(),
            outcome: Err(AppendError::Unprepared),
        };
        self.workers.try_send(preparation)
    }

    /// Whether a batch needs a worker before it can be appended.
    pub fn must_prepare(&self, id: LogId, records: &[u8]) -> bool {
        let log = self.log(id);
        log.is_some_and(|log| must_prepare(&log.config, records))
    }

    /// A batch that the workers are through with, in no order.
    pub fn next_prepared(&mut self) -> Option<Preparation> {
        let prepared = self.workers.try_receive()?;
        let stats = &mut self.io.stats;
        match prepared.by {
            By::Software => {}
            By::Device => stats.hardware_batches += 1,
            By::SoftwareAfterAll => stats.hardware_failures += 1,
        }
        Some(prepared)
    }

    /// Appends what a worker has made of a batch.
    ///
    /// # Errors
    /// As [`Store::append`]; what the worker found wrong with the batch is one of them.
    pub fn append_prepared(
        &mut self,
        id: LogId,
        preparation: &Preparation,
        now: Now,
    ) -> Result<Appended, AppendError> {
        let (prepared, batch) = preparation.batch()?;
        let append = |store: &mut Store| {
            store.io.memory_short = 0;
            match store.log_and_io(id) {
                Some((log, io)) => log.append_prepared(io, prepared, batch, now.wall_ms),
                None => Err(UNKNOWN_LOG),
            }
        };
        self.append_with(id, now, append)
    }

    fn append_with(
        &mut self,
        id: LogId,
        now: Now,
        append: impl Fn(&mut Store) -> Result<Appended, AppendError>,
    ) -> Result<Appended, AppendError> {
        self.io.now = now;
        let mut outcome = append(self);
        for attempt in 1..=RECLAIMS_MAX {
            if outcome != Err(AppendError::Busy) || self.io.memory_short == 0 {
                break;
            }
            // Make room; or be content with small extents, once. Only at first is the log's own tail
            // given back for it: later that would take from the log what it was just given.
            let spared = (attempt > 1).then_some(id);
            let short = self.io.memory_short;
            let small = self.reclaim(short, spared) == 0 || attempt == RECLAIMS_MAX;
            if small && self.io.pool().usage().largest_free == 0 {
                break;
            }
            self.io.small_extents = small;
            outcome = append(self);
            self.io.small_extents = false;
            if small {
                break;
            }
        }
        match outcome {
            Ok(_) => self.after_append(id),
            Err(AppendError::Busy) => self.press(),
            Err(_) => {}
        }
        outcome
    }

    fn try_append(
        &mut self,
        id: LogId,
        records: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        self.io.memory_short = 0;
        match self.log_and_io(id) {
            Some((log, io)) => log.append(io, records, options),
            None => Err(UNKNOWN_LOG),
        }
    }

    pub(crate) fn after_append(&mut self, id: LogId) {
        let due = self.io.now.monotonic_us + self.options.write_behind_ms * 1000;
        let recovery_bytes_max = self.options.recovery_bytes_max;
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        if log.has_full_write() {
            log.pump_writes(io);
        }
        if log.active().size - log.recovery_position.min(log.active().size) > recovery_bytes_max {
            log.begin_settling(io);
        }
        log.order_room(io);
        let newly_dirty = !std::mem::replace(&mut log.is_dirty, true);
        let syncs = log.config.flush_policy != FlushPolicy::Os;
        let newly_unsynced = syncs && !std::mem::replace(&mut log.is_unsynced, true);
        if newly_dirty {
            self.timers.dirty.push_back((id, due));
        }
        if newly_unsynced {
            self.timers.unsynced.push(id);
        }
    }

    /// Frees at least `bytes` of extents if that many can be, but not the tail of the log that is
    /// `spared`; returns what it freed.
    pub(crate) fn reclaim(&mut self, bytes: usize, spared: Option<LogId>) -> usize {
        let mut freed = 0;
        for attempt in 0..2 {
            let mut looks = self.io.evictable.len();
            while freed < bytes && looks > 0 {
                looks -= 1;
                let Some(id) = self.io.evictable.pop_front() else {
                    break;
                };
                let Some((log, io)) = self.log_and_io(id) else {
                    continue;
                };
                log.evictable -= 1;
                match log.evict_front(io, attempt > 0) {
                    Evicted::Bytes(count) => freed += count,
                    Evicted::Kept => {
                        log.evictable += 1;
                        io.evictable.push_back(id);
                    }
                    Evicted::Nothing => {}
                }
            }
        }
        while freed < bytes {
            match self.cache.evict(&mut self.io) {
                0 => break,
                count => freed += count,
            }
        }
        freed + self.park_idle(bytes.saturating_sub(freed), spared)
    }

    /// Gives memory back to the system until `keep_bytes` have some: chunks of the pool that nothing
    /// is in, at most `chunks_max`, and for more of them lets go of up to `evict_bytes` of what is on
    /// disk. To be called again while there is more to be had, which it returns; the pool's helper
    /// does what takes time.
    pub fn trim(&mut self, keep_bytes: usize, evict_bytes: usize, chunks_max: usize) -> bool {
        let trimmed = self.io.pool_mut().trim(keep_bytes, chunks_max);
        let above = self.pool_use().bytes_backed.saturating_sub(keep_bytes);
        let freed = match above {
            0 => 0,
            above => self.reclaim(evict_bytes.min(above), None),
        };
        trimmed || freed > 0
    }

    /// Takes note of what the pool's helper has done meanwhile, for [`Store::pool_use`].
    pub fn settle_pool(&mut self) {
        self.io.pool_mut().settle();
    }

    /// Gives back the tails of logs that are on disk as a whole, but not that of `spared`.
    fn park_idle(&mut self, bytes: usize, spared: Option<LogId>) -> usize {
        let mut freed = 0;
        for slot in &mut self.slots {
            if freed >= bytes {
                break;
            }
            if let Some(log) = slot.log.as_mut().filter(|log| Some(log.id) != spared) {
                freed += log.park(&mut self.io);
            }
        }
        freed
    }

    /// Memory is short: everything that waits for a fuller block is written now.
    fn press(&mut self) {
        for at in 0..self.timers.dirty.len() {
            let id = self.timers.dirty[at].0;
            if let Some((log, io)) = self.log_and_io(id)
                && log.is_online()
            {
                log.force_writes(io);
            }
        }
    }

    /// Takes names whose extents are gone out of the list of what can be evicted, when it is full.
    pub(crate) fn forget_evicted(&mut self) {
        if !self.io.has_stale_names() {
            return;
        }
        for _ in 0..self.io.evictable.len() {
            let Some(id) = self.io.evictable.pop_front() else {
                return;
            };
            let Some((log, io)) = self.log_and_io(id) else {
                continue;
            };
            if log.evictable > log.extents_written {
                log.evictable -= 1;
            } else {
                io.evictable.push_back(id);
            }
        }
    }
}
