//! The store of one shard: its logs, and the calls that the shard makes.

use crate::api::*;
use crate::cold::WindowCache;
use crate::coldseg::{ColdFiles, Freezer};
use crate::compaction::Cleaner;
use crate::directories::LogDirectories;
use crate::io::{Io, StoreStats, operations_of_one};
use crate::jobs::{Checkpoint, Job};
use crate::layout::{partition_directory, partition_name};
use crate::log::Log;
use crate::maintenance::{LOADED_MAX, Timers};
use crate::open::Checkpoints;
use crate::opens::Opens;
use crate::prepare::Workers;
use crate::read::{Gather, Read};
use crate::recovery::OpenRequest;
use crate::room::Garbage;
use crate::scan::MemoryPiece;
use crate::threads::{SharedWith, Threads};
use crate::tickets::Tickets;
use precursor_disk::{Disk, FileSystem, SystemFileSystem, Wake};
use precursor_model::{ErrorCode, LogConfig, LogUid, Offset};
use precursor_shm::{ExtentId, ExtentPool, LatencyCounts, RecoveredExtent};
use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Operations of the disk that one shard has under way at most, with one directory.
const DISK_DEPTH: u32 = 64;
/// Operations that one shard has under way at most.
pub(crate) fn disk_depth(directories: usize) -> u32 {
    let of_one = operations_of_one(directories, DISK_DEPTH as usize);
    DISK_DEPTH.max((of_one * directories) as u32)
}

pub(crate) struct Slot {
    pub generation: u32,
    pub log: Option<Box<Log>>,
}

/// What the checkpoint files of one directory are to say.
pub(crate) struct ToCheckpoint {
    /// Empty, for the logs that changed; the helper may have it.
    pub list: Option<Vec<Checkpoint>>,
    /// Partitions to be taken out.
    pub removed: Vec<(String, i32)>,
}

/// Every log of one shard. Belongs to the shard's thread; no call blocks, but for `open` and
/// `shutdown`.
pub struct Store {
    pub(crate) options: StoreOptions,
    pub(crate) slots: Vec<Slot>,
    pub(crate) free_slots: Vec<u32>,
    by_uid: HashMap<LogUid, u32>,
    pub(crate) io: Io,
    pub(crate) cache: WindowCache,
    pub(crate) tickets: Tickets,
    pub(crate) timers: Timers,
    /// By lane of directories, as the next.
    pub(crate) cleaners: Box<[Cleaner]>,
    pub(crate) freezers: Box<[Freezer]>,
    /// What is read of cold segments.
    cold: Arc<crate::coldseg::Shared>,
    pub(crate) workers: Workers,
    /// Directories of the logs.
    directories: HashSet<Arc<PathBuf>>,
    /// Logs that are to be opened.
    pub(crate) opens: Opens,
    /// Found in the region and not dealt with yet.
    found: HashMap<LogUid, Vec<RecoveredExtent>>,
    /// Extents that an opening log's bytes were copied from: freed once they are on disk.
    pub(crate) adopted: HashMap<LogId, Vec<ExtentId>>,
    /// What the checkpoint files said at open, by directory.
    checkpointed: Vec<Checkpoints>,
    /// What the checkpoint files are to say, by directory.
    pub(crate) checkpoints: Vec<ToCheckpoint>,
    /// The directories as the logs know them: see [`LogDirectories::version`].
    pub(crate) directories_seen: u64,
    /// Names that the directories held at the start, and do not any more.
    gone: HashSet<String>,
    /// Sealed segments whose file and index are open, oldest first.
    pub(crate) loaded: VecDeque<(LogId, Offset)>,
    wake: Arc<Wake>,
    pub(crate) files: Arc<dyn FileSystem>,
    _lock: Box<dyn Any + Send>,
}

/// Files, what is read of cold segments among them, and the directories that they are in.
type Places = (
    Arc<dyn FileSystem>,
    Arc<crate::coldseg::Shared>,
    Arc<LogDirectories>,
);

/// Files as everybody here sees them, and what is read of cold segments among them.
fn with_cold_segments(
    files: Arc<dyn FileSystem>,
) -> (Arc<dyn FileSystem>, Arc<crate::coldseg::Shared>) {
    let files = ColdFiles::new(files);
    let shared = files.shared();
    (Arc::new(files), shared)
}

impl Store {
    /// Opens the store of a shard on its pool. Blocks until a dead predecessor's last writes have
    /// ended, and reads the checkpoint files.
    pub fn open(options: StoreOptions, pool: ExtentPool, now: Now) -> Result<Store, OpenError> {
        let plain: Arc<dyn FileSystem> = Arc::new(SystemFileSystem::new(false));
        let directories = crate::open::directories(&options, &plain)?;
        let system = crate::open::system_files(&options, &directories)?;
        let direct = system.uses_direct_io();
        let (files, cold) = with_cold_segments(Arc::new(system));
        let wake = crate::open::wake()?;
        let roots = directories.paths().count();
        let parts = crate::open::lock_and_disk(&options, roots, pool, &wake)?;
        let threads = Threads::start(&options, roots, (&files, &wake), now)?;
        tracing::info!(
            shard = options.shard,
            driver = parts.disk.driver_name(),
            direct,
            "storage opened"
        );
        let places = (files, cold, directories);
        Self::assemble(options, places, parts.disk, threads, wake, parts.lock, now)
    }

    /// A store on other files than the system's, with the threads of a broker: what the disk itself
    /// does is done within `poll`, and what those threads do may hang.
    pub fn open_on(
        options: StoreOptions,
        files: Arc<dyn FileSystem>,
        pool: ExtentPool,
        now: Now,
        seed: u64,
    ) -> Result<Store, OpenError> {
        Self::open_double(options, files, pool, (now, seed), Threads::start)
    }

    /// A store on a double of the file system; helper jobs run within `poll`.
    pub fn open_simulated(
        options: StoreOptions,
        files: Arc<dyn FileSystem>,
        pool: ExtentPool,
        now: Now,
        seed: u64,
    ) -> Result<Store, OpenError> {
        Self::open_double(options, files, pool, (now, seed), Threads::inline)
    }

    fn open_double(
        options: StoreOptions,
        files: Arc<dyn FileSystem>,
        pool: ExtentPool,
        (now, seed): (Now, u64),
        threads: impl FnOnce(&StoreOptions, usize, SharedWith<'_>, Now) -> Result<Threads, OpenError>,
    ) -> Result<Store, OpenError> {
        let (files, cold) = with_cold_segments(files);
        let directories = crate::open::directories(&options, &files)?;
        let roots = directories.paths().count();
        let disk = Disk::simulated(disk_depth(roots), pool, seed);
        let wake = crate::open::wake()?;
        let threads = threads(&options, roots, (&files, &wake), now)?;
        let places = (files, cold, directories);
        Self::assemble(options, places, disk, threads, wake, Box::new(()), now)
    }

    fn assemble(
        options: StoreOptions,
        (files, cold, directories): Places,
        mut disk: Disk<ExtentPool>,
        threads: Threads,
        wake: Arc<Wake>,
        lock: Box<dyn Any + Send>,
        now: Now,
    ) -> Result<Store, OpenError> {
        let checkpointed = crate::open::read_checkpoints(&files, &options, &directories);
        let found = disk.memory_mut().recovered();
        let pool = disk.memory_mut();
        let found = crate::open::keep_known(&files, &options, &directories, pool, found)?;
        let pool_bytes = disk.memory().usage().bytes;
        let mut found_of: HashMap<LogUid, Vec<RecoveredExtent>> = HashMap::new();
        for extent in found {
            found_of.entry(extent.log).or_default().push(extent);
        }
        let to_checkpoint = || ToCheckpoint {
            list: Some(Vec::new()),
            removed: Vec::new(),
        };
        let roots = directories.paths().count();
        Ok(Store {
            timers: Timers::new(&options, now),
            cleaners: threads.cleaners,
            freezers: threads.freezers,
            cold,
            workers: threads.workers,
            options,
            slots: Vec::new(),
            free_slots: Vec::new(),
            by_uid: HashMap::new(),
            directories_seen: 0,
            gone: HashSet::new(),
            io: Io::new(disk, threads.helpers, directories, now),
            cache: WindowCache::new(pool_bytes),
            tickets: Tickets::default(),
            directories: HashSet::new(),
            opens: Opens::new(roots, now),
            found: found_of,
            adopted: HashMap::new(),
            checkpointed,
            checkpoints: (0..roots).map(|_| to_checkpoint()).collect(),
            loaded: VecDeque::with_capacity(LOADED_MAX + 1),
            wake,
            files,
            _lock: lock,
        })
    }

    /// Makes or opens a log; it is usable from `StoreEvent::Online`. A log that is there already is
    /// given back as it is.
    pub fn ensure_log(&mut self, spec: LogSpec<'_>, now: Now) -> Result<LogId, StorageError> {
        self.io.now = now;
        if let Some(id) = self.find(spec.uid) {
            return Ok(id);
        }
        let (root, is_offline) = self.place(&spec);
        let directory = partition_directory(self.io.directories.path(root), &spec);
        let directory = Arc::new(directory);
        if !self.directories.insert(directory.clone()) {
            self.io.directories.forget(root);
            return Err(StorageError::DirectoryTaken);
        }
        let slot = self.free_slots.pop().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(Slot {
                generation: 0,
                log: None,
            });
        }
        let id = LogId {
            slot,
            generation: self.slots[slot as usize].generation,
        };
        let mut log = crate::open::opening_log((root, directory), id, &spec);
        let key = (spec.topic.to_owned(), log.partition);
        let checkpointed = &mut self.checkpointed[usize::from(root)];
        log.clean_to = checkpointed.clean_to.remove(&key).unwrap_or(0);
        let recovery_point = checkpointed.recovery_points.remove(&key).unwrap_or(0);
        let log_start = checkpointed.log_starts.remove(&key).unwrap_or(0);
        log.is_full = self.io.directories.is_full(root);
        let removed = &mut self.checkpoints[usize::from(root)].removed;
        removed.retain(|removed| *removed != key);
        self.by_uid.insert(spec.uid, slot);
        if is_offline {
            log.go_offline(&mut self.io);
        } else {
            let request = OpenRequest {
                data_dir: self.io.directories.path(root).to_owned(),
                directory: log.directory.to_path_buf(),
                uid: spec.uid,
                topic_id: spec.topic_id,
                index_interval: log.config.index_interval_bytes,
                recovery_point,
                log_start,
                leader_epoch: spec.leader_epoch,
                memory: self.adopt_extents(id, spec.uid),
            };
            self.opens.push(root, (id, Box::new(request)));
        }
        self.slots[slot as usize].log = Some(Box::new(log));
        self.expect_logs();
        Ok(id)
    }

    /// The directory that a log is in, or that a new one goes to, and whether that cannot be used.
    fn place(&self, spec: &LogSpec<'_>) -> (u16, bool) {
        let directories = &self.io.directories;
        let name = partition_name(spec);
        let found = directories.find(&name, spec.topic_id);
        if let Some(root) = found.filter(|_| !self.gone.contains(&name)) {
            return (root, directories.error(root).is_some());
        }
        // As with Kafka: a partition that was there and is not found is in what cannot be read.
        let missing = directories.failed().filter(|_| !spec.is_new);
        match (missing, directories.place()) {
            (None, Some(root)) => (root, false),
            (missing, placed) => {
                if let Some(root) = placed {
                    directories.forget(root);
                }
                (missing.unwrap_or(0), true)
            }
        }
    }

    /// Makes lists of logs long enough for those that there are.
    fn expect_logs(&mut self) {
        let logs = self.slots.len();
        self.io.expect_logs(logs);
        self.timers.expect_logs(logs);
        for list in self
            .checkpoints
            .iter_mut()
            .filter_map(|of| of.list.as_mut())
        {
            list.reserve(logs);
        }
    }

    /// Copies what the region holds of a log, for the helper to validate and write.
    fn adopt_extents(&mut self, id: LogId, uid: LogUid) -> Vec<MemoryPiece> {
        let mut extents = Vec::new();
        let mut pieces = Vec::new();
        for found in self.found.remove(&uid).unwrap_or_default() {
            extents.push(found.id);
            pieces.push(crate::open::memory_piece(self.io.pool(), &found));
        }
        pieces.sort_by_key(|piece| (piece.segment_base, piece.position));
        if !extents.is_empty() {
            self.adopted.insert(id, extents);
        }
        pieces
    }

    /// The log with this uid.
    pub fn find(&self, uid: LogUid) -> Option<LogId> {
        let slot = *self.by_uid.get(&uid)?;
        let generation = self.slots[slot as usize].generation;
        Some(LogId { slot, generation })
    }

    /// Closes a log and deletes its directory. Its id is stale at once; reads that wait for it fail.
    pub fn remove_log(&mut self, id: LogId) {
        let Some(slot) = self.slots.get_mut(id.slot as usize) else {
            return;
        };
        if slot.generation != id.generation {
            return;
        }
        let Some(mut log) = slot.log.take() else {
            return;
        };
        slot.generation = slot.generation.wrapping_add(1);
        self.free_slots.push(id.slot);
        self.by_uid.remove(&log.uid);
        self.directories.remove(&log.directory);
        let directories = self.io.directories.clone();
        directories.forget(log.root);
        if let Some(name) = log.directory.file_name() {
            let name = name.to_string_lossy();
            if directories.holds(&name) {
                self.gone.insert(name.into_owned());
            }
        }
        self.io.stats.segments -= log.segments.len() as u64;
        log.free_extents(&mut self.io);
        self.cleaners.iter_mut().for_each(|one| one.forget(id));
        self.freezers.iter_mut().for_each(|one| one.forget(id));
        for extent in self.adopted.remove(&id).unwrap_or_default() {
            self.io.free(extent);
        }
        self.cache.drop_log(&mut self.io, id);
        if directories.error(log.root).is_none() {
            let key = (log.topic.to_string(), log.partition);
            self.checkpoints[usize::from(log.root)].removed.push(key);
            self.timers.checkpoint_now();
            self.io.job(log.root, Job::RemoveLog(log.directory.clone()));
        }
        self.io.close(log.root, Garbage::Log(log));
    }

    pub(crate) fn logs_from(&self, slot: u32) -> impl Iterator<Item = &Log> {
        let slots = self.slots.get(slot as usize..).unwrap_or_default();
        slots.iter().filter_map(|slot| slot.log.as_deref())
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = &Log> {
        self.slots.iter().filter_map(|slot| slot.log.as_deref())
    }

    /// A live log and what it works with.
    pub(crate) fn log_and_io(&mut self, id: LogId) -> Option<(&mut Log, &mut Io)> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        let live = slot.generation == id.generation;
        let log = slot.log.as_deref_mut().filter(|_| live)?;
        Some((log, &mut self.io))
    }

    pub(crate) fn log(&self, id: LogId) -> Option<&Log> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.log
            .as_deref()
            .filter(|_| slot.generation == id.generation)
    }

    /// Puts options in force.
    pub fn set_config(&mut self, id: LogId, config: LogConfig) {
        let Some((log, _)) = self.log_and_io(id) else {
            return;
        };
        log.config = config;
        // What was appended under a weaker promise is made durable before it is shown again.
        let behind =
            log.config.flush_policy != precursor_model::FlushPolicy::Os && log.durable < log.end;
        if behind && !std::mem::replace(&mut log.is_unsynced, true) {
            self.timers.unsynced.push(id);
        }
    }

    /// Batches appended from now on carry this epoch.
    pub fn set_leader_epoch(&mut self, id: LogId, epoch: i32) {
        if let Some((log, _)) = self.log_and_io(id) {
            log.leader_epoch = epoch;
        }
    }

    /// Where the log is in its life; a stale id is offline.
    pub fn state(&self, id: LogId) -> LogState {
        let gone = LogState::Offline(ErrorCode::UnknownTopicOrPartition);
        self.log(id).map_or(gone, |log| log.state)
    }

    /// The log's offsets; all 0 for a stale id or one that is opening.
    pub fn offsets(&self, id: LogId) -> LogOffsets {
        match self.log(id) {
            Some(log) => LogOffsets {
                start: log.start,
                end: log.end,
                high_watermark: log.visible_end(),
                last_stable: log.last_stable(),
                durable: log.durable,
                leader_epoch: log.leader_epoch,
            },
            None => LogOffsets {
                start: 0,
                end: 0,
                high_watermark: 0,
                last_stable: 0,
                durable: 0,
                leader_epoch: -1,
            },
        }
    }

    /// Reads whole batches from the one that contains `options.offset`.
    ///
    /// # Errors
    /// The offset is not in the log, the log is not online, or there is no memory to read into.
    pub fn read(&mut self, id: LogId, options: ReadOptions) -> Result<Read, ReadError> {
        let Some((log, io)) = self.log_and_io(id) else {
            let code = ErrorCode::UnknownTopicOrPartition;
            return Err(ReadError::NotOnline(code));
        };
        match log.state {
            LogState::Online => {}
            LogState::Opening => return Err(ReadError::NotOnline(ErrorCode::LeaderNotAvailable)),
            LogState::Offline(code) => return Err(ReadError::NotOnline(code)),
        }
        if options.offset < log.start || options.offset > log.end {
            return Err(ReadError::OffsetOutOfRange);
        }
        let mut gather = io.take_gather();
        let is_hot = log.read_hot(io, &options, &mut gather);
        let mut aborted_known = || log.gather_aborted(options.offset, &mut gather).is_none();
        if is_hot && (!options.committed || aborted_known()) {
            io.stats.reads_hot += 1;
            return Ok(Read::Ready(gather));
        }
        io.return_gather(gather);
        self.read_cold(id, options)
    }

    /// The bytes of a gather, in order.
    pub fn slices<'a>(&'a self, gather: &'a Gather) -> impl Iterator<Item = &'a [u8]> + 'a {
        let pool = self.io.pool();
        gather.chunks.iter().map(move |chunk| {
            let start = chunk.start as usize;
            &pool.bytes(chunk.extent)[start..start + chunk.length as usize]
        })
    }

    /// Unpins a gather's memory.
    pub fn release(&mut self, gather: Gather) {
        self.io.return_gather(gather);
    }

    /// The largest epoch up to `epoch` that the log knows, and the offset at which it ended;
    /// (-1, -1) when there is none (KIP-320).
    pub fn offset_for_leader_epoch(&self, id: LogId, epoch: i32) -> (i32, Offset) {
        match self.log(id) {
            None => (-1, -1),
            // The present epoch began when the log got it, whether or not anything was written.
            Some(log) if log.leader_epoch == epoch => (epoch, log.end),
            Some(log) => log.epochs.end_offset_for(epoch, log.end),
        }
    }

    /// The directories that hold the logs.
    pub fn directories(&self) -> &LogDirectories {
        &self.io.directories
    }

    /// The directory that a log is in; `None` for a stale id.
    pub fn directory_of(&self, id: LogId) -> Option<u16> {
        self.log(id).map(|log| log.root)
    }

    /// Becomes readable when `poll` has something to do. [`Store::drain_wake`] empties it.
    pub fn wake_descriptor(&self) -> RawFd {
        self.wake.descriptor()
    }

    /// To be called when a wait ended because of the wake descriptor, before `poll`.
    pub fn drain_wake(&mut self) {
        self.wake.drain();
    }

    /// Counters since the store was opened.
    pub fn stats(&self) -> StoreStats {
        StoreStats {
            cold_chunks_read: self.cold.decompressions.load(Ordering::Relaxed),
            cold_chunks_damaged: self.cold.failures.load(Ordering::Relaxed),
            ..self.io.stats
        }
    }

    /// What syncs took since the store was opened.
    pub fn sync_times(&self) -> &LatencyCounts {
        &self.io.sync_times
    }

    /// Whether an append found no memory, and none was freed since.
    pub fn wants_memory(&self) -> bool {
        self.io.memory_wanted
    }

    /// True while the disk or the file helper owes something.
    pub fn is_busy(&self) -> bool {
        self.io.is_busy()
    }

    /// How much of the extent pool is lent.
    pub fn pool_use(&self) -> precursor_shm::ExtentPoolUse {
        self.io.pool().usage()
    }
}
