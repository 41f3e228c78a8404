//! What a store does before its first turn: locks, direct I/O, checkpoint files, the region's finds.

use crate::api::*;
use crate::epochs::LeaderEpochs;
use crate::jobs::read_offsets;
use crate::layout::{
    CLEANER_OFFSETS, LOG_STARTS, OffsetMap, PARTITION_METADATA, RECOVERY_POINTS, clean_marker,
    decode_partition_metadata, ring_lock,
};
use crate::log::{Log, SyncState, Writer};
use crate::producers::ProducerState;
use crate::room::Rooms;
use crate::scan::MemoryPiece;
use crate::segment_files::set_extent_aside;
use crate::store::DISK_DEPTH;
use precursor_disk::{Disk, DiskDriver, FileSystem, Wake, direct_io_works};
use precursor_model::LogUid;
use precursor_shm::{ExtentPool, ExtentState, RecoveredExtent};
use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) struct Parts {
    pub disk: Disk<ExtentPool>,
    pub lock: Box<dyn Any + Send>,
}

fn system(what: String) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::System { what, source }
}

pub(crate) fn wake() -> Result<Arc<Wake>, OpenError> {
    let wake = Wake::new().map_err(system("cannot make an eventfd".to_owned()))?;
    Ok(Arc::new(wake))
}

/// Whether this data directory is to be used past the page cache.
pub(crate) fn choose_direct(options: &StoreOptions) -> Result<bool, OpenError> {
    let directory = &options.data_dir;
    std::fs::create_dir_all(directory).map_err(system(format!(
        "cannot make the data directory {}",
        directory.display()
    )))?;
    match options.direct_io {
        DirectIo::Off => Ok(false),
        DirectIo::Auto => Ok(direct_io_works(directory)),
        DirectIo::On if direct_io_works(directory) => Ok(true),
        DirectIo::On => Err(system(format!(
            "storage.direct.io is on, and the file system of {} cannot do it",
            directory.display()
        ))(io::ErrorKind::Unsupported.into())),
    }
}

/// Takes the shard's lock and makes its disk. The lock's file is registered with the ring, so it
/// stays locked until a killed process's last write has ended: two lives never write at once.
pub(crate) fn lock_and_disk(
    options: &StoreOptions,
    pool: ExtentPool,
    wake: &Arc<Wake>,
) -> Result<Parts, OpenError> {
    let path = ring_lock(&options.data_dir, options.shard);
    let describe = || format!("cannot lock {}", path.display());
    let lock: File = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(system(describe()))?;
    lock.lock().map_err(system(describe()))?;
    let driver = match options.io_uring {
        true => DiskDriver::Auto,
        false => DiskDriver::Thread,
    };
    let disk = Disk::new(driver, DISK_DEPTH, pool, wake, Some(lock.as_raw_fd()));
    let taken = options.workers.taken_cpus.clone();
    let settle = move || precursor_disk::keep_off(&taken);
    let disk = disk.and_then(|disk| disk.with_side_thread(wake, settle));
    let disk = disk.map_err(system("cannot start disk I/O".to_owned()))?;
    Ok(Parts {
        disk,
        lock: Box::new(lock),
    })
}

/// Recovery points, log starts, and what is clean. The marker of a clean stop is taken away: from here on a stop
/// is a crash until `shutdown` says otherwise.
pub(crate) fn read_checkpoints(
    files: &dyn FileSystem,
    options: &StoreOptions,
) -> Result<[OffsetMap; 3], OpenError> {
    let directory = &options.data_dir;
    let describe = |what: &str| format!("cannot read {} in {}", what, directory.display());
    files
        .create_directory(directory)
        .map_err(system(describe("the data directory")))?;
    let read =
        |name: &str| read_offsets(files, &directory.join(name)).map_err(system(describe(name)));
    let maps = [
        read(RECOVERY_POINTS)?,
        read(LOG_STARTS)?,
        read(CLEANER_OFFSETS)?,
    ];
    let _ = files.remove_file(&clean_marker(directory, options.shard));
    Ok(maps)
}

/// The published bytes of an extent that was found.
pub(crate) fn memory_piece(pool: &ExtentPool, found: &RecoveredExtent) -> MemoryPiece {
    MemoryPiece {
        segment_base: found.segment_base,
        position: found.file_position,
        bytes: pool.bytes(found.id)[..found.committed as usize].to_vec(),
    }
}

/// Of the extents found in the region, those whose bytes a log of this data directory may still
/// need. The others are freed; bytes of logs that nobody knows are set aside in files first.
pub(crate) fn keep_known(
    files: &dyn FileSystem,
    options: &StoreOptions,
    pool: &mut ExtentPool,
    found: Vec<RecoveredExtent>,
) -> Result<Vec<RecoveredExtent>, OpenError> {
    if found.is_empty() {
        return Ok(found);
    }
    let describe = || format!("cannot look through {}", options.data_dir.display());
    let known = known_uids(files, options).map_err(system(describe()))?;
    let mut kept = Vec::new();
    for extent in found {
        let on_disk = extent.state == ExtentState::Written;
        if !on_disk && extent.committed > 0 {
            if known.contains(&extent.log) {
                kept.push(extent);
                continue;
            }
            let piece = memory_piece(pool, &extent);
            set_extent_aside(files, &options.data_dir, extent.log, &piece)
                .map_err(system(describe()))?;
            tracing::warn!(
                log_uid = extent.log.0,
                bytes = extent.committed,
                "the region holds records of a log that this data directory does not know: set aside"
            );
        }
        pool.free(extent.id);
    }
    Ok(kept)
}

fn known_uids(files: &dyn FileSystem, options: &StoreOptions) -> io::Result<HashSet<LogUid>> {
    let mut known = HashSet::new();
    for name in files.list(&options.data_dir)? {
        let path = options.data_dir.join(name).join(PARTITION_METADATA);
        let Ok(bytes) = files.read(&path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        known.extend(decode_partition_metadata(&text).and_then(|(_, uid)| uid));
    }
    Ok(known)
}

/// A log that the helper is opening.
pub(crate) fn opening_log(directory: Arc<PathBuf>, id: LogId, spec: &LogSpec<'_>) -> Log {
    Log {
        id,
        uid: spec.uid,
        topic: spec.topic.into(),
        partition: spec.partition,
        directory,
        config: spec.config.clone(),
        state: LogState::Opening,
        leader_epoch: spec.leader_epoch,
        start: 0,
        end: 0,
        durable: 0,
        durable_base: 0,
        durable_position: 0,
        recovery_point: 0,
        recovery_position: 0,
        segments: VecDeque::new(),
        extents: VecDeque::new(),
        extents_written: 0,
        parked_block: Vec::new(),
        writer: Writer::at(0, 0),
        sync: SyncState::Idle,
        settling: 0,
        last_sync_us: 0,
        index_bytes: 0,
        producers: ProducerState::default(),
        epochs: LeaderEpochs::default(),
        epochs_changed: false,
        is_starved: false,
        evictable: 0,
        rooms: Rooms::default(),
        is_dirty: false,
        is_unsynced: false,
        extent_bytes: crate::append::EXTENT_BYTES_MIN,
        checkpointed: (0, 0, 0),
        clean_to: 0,
        not_cleaned_before_us: 0,
        unmended: Vec::new(),
        generation: 0,
    }
}
