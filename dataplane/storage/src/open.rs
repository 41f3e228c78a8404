//! What a store does before its first turn: locks, direct I/O, checkpoint files, the region's finds.

use crate::api::*;
use crate::directories::{LogDirectories, SpareRoom};
use crate::epochs::LeaderEpochs;
use crate::jobs::read_offsets;
use crate::lanes::directory_lanes;
use crate::layout::{
    CLEANER_OFFSETS, LOG_STARTS, OffsetMap, PARTITION_METADATA, RECOVERY_POINTS, clean_marker,
    decode_partition_metadata, ring_lock,
};
use crate::log::{Log, SyncState, Writer};
use crate::producers::ProducerState;
use crate::room::Rooms;
use crate::scan::MemoryPiece;
use crate::segment_files::set_extent_aside;
use crate::store::disk_depth;
use precursor_disk::{
    Disk, DiskDriver, FileSystem, Progress, SystemFileSystem, Wake, direct_io_works,
};
use precursor_model::{LogUid, OFFSETS_TOPIC};
use precursor_shm::{ExtentPool, ExtentState, RecoveredExtent};
use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
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

/// The directories that the options name, or else the data directory alone.
pub(crate) fn directories(
    options: &StoreOptions,
    files: &Arc<dyn FileSystem>,
) -> Result<Arc<LogDirectories>, OpenError> {
    if let Some(directories) = &options.directories {
        return Ok(directories.clone());
    }
    let alone = std::slice::from_ref(&options.data_dir);
    let opened = LogDirectories::open(
        files,
        alone,
        None,
        (SpareRoom::default(), options.disk_wait),
    );
    Ok(Arc::new(opened.map_err(OpenError::Directories)?))
}

/// Files that are used past the page cache where their directories can.
pub(crate) fn system_files(
    options: &StoreOptions,
    directories: &LogDirectories,
) -> Result<SystemFileSystem, OpenError> {
    if options.direct_io == DirectIo::Off {
        return Ok(SystemFileSystem::new(false));
    }
    let works = directories.ask(options.disk_wait, |path, _| direct_io_works(path));
    let asked = directories.paths().zip(works);
    let asked = asked.filter_map(|(path, works)| Some((path, works?)));
    let (direct, buffered): (Vec<_>, Vec<_>) = asked.partition(|(_, works)| *works);
    let buffered: Vec<&Path> = buffered.into_iter().map(|(path, _)| path).collect();
    if let (DirectIo::On, Some(path)) = (options.direct_io, buffered.first()) {
        return Err(system(format!(
            "storage.direct.io is on, and the file system of {} cannot do it",
            path.display()
        ))(io::ErrorKind::Unsupported.into()));
    }
    let buffered = buffered.into_iter().map(Path::to_owned).collect();
    Ok(SystemFileSystem::new(!direct.is_empty()).buffered_in(buffered))
}

/// Takes the shard's lock and makes its disk. The lock's file is registered with the ring, so it
/// stays locked until a killed process's last write has ended: two lives never write at once.
pub(crate) fn lock_and_disk(
    options: &StoreOptions,
    directories: usize,
    pool: ExtentPool,
    wake: &Arc<Wake>,
) -> Result<Parts, OpenError> {
    let directory = &options.data_dir;
    std::fs::create_dir_all(directory).map_err(system(format!(
        "cannot make the data directory {}",
        directory.display()
    )))?;
    let path = ring_lock(directory, options.shard);
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
    let (depth, lanes) = (disk_depth(directories), directory_lanes(directories));
    let disk = Disk::new(driver, (depth, lanes), pool, wake, Some(lock.as_raw_fd()));
    let taken = options.workers.taken_cpus.clone();
    let settle = move || precursor_disk::keep_off(&taken);
    let disk = disk.and_then(|disk| disk.with_side_threads(wake, settle));
    let disk = disk.map_err(system("cannot start disk I/O".to_owned()))?;
    Ok(Parts {
        disk,
        lock: Box::new(lock),
    })
}

/// What the checkpoint files of one directory say.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    pub recovery_points: OffsetMap,
    pub log_starts: OffsetMap,
    pub clean_to: OffsetMap,
}

/// What each directory's checkpoint files say; a directory that cannot be read has failed. The
/// marker of a clean stop is taken away: from here on a stop is a crash until `shutdown` says
/// otherwise.
pub(crate) fn read_checkpoints(
    files: &Arc<dyn FileSystem>,
    options: &StoreOptions,
    directories: &LogDirectories,
) -> Vec<Checkpoints> {
    let of_files = files.clone();
    let of_directory = move |path: &Path, _: &Progress| {
        let read = |name: &str| read_offsets(&*of_files, &path.join(name));
        io::Result::Ok(Checkpoints {
            recovery_points: read(RECOVERY_POINTS)?,
            log_starts: read(LOG_STARTS)?,
            clean_to: read(CLEANER_OFFSETS)?,
        })
    };
    let read = directories.ask(options.disk_wait, of_directory);
    let take = |(number, read): (u16, Option<io::Result<Checkpoints>>)| match read {
        Some(Err(error)) => {
            directories.fail(number, &error);
            Checkpoints::default()
        }
        read => read.and_then(Result::ok).unwrap_or_default(),
    };
    let all = (0u16..).zip(read).map(take).collect();
    let _ = files.remove_file(&clean_marker(&options.data_dir, options.shard));
    all
}

/// The published bytes of an extent that was found.
pub(crate) fn memory_piece(pool: &ExtentPool, found: &RecoveredExtent) -> MemoryPiece {
    MemoryPiece {
        segment_base: found.segment_base,
        position: found.file_position,
        bytes: pool.bytes(found.id)[..found.committed as usize].to_vec(),
    }
}

/// Of the extents found in the region, those whose bytes a log of these directories may still
/// need. The others are freed; bytes of logs that nobody knows are set aside in files first, unless
/// a directory cannot be read: then it may know them, and they stay where they are.
pub(crate) fn keep_known(
    files: &Arc<dyn FileSystem>,
    options: &StoreOptions,
    directories: &LogDirectories,
    pool: &mut ExtentPool,
    found: Vec<RecoveredExtent>,
) -> Result<Vec<RecoveredExtent>, OpenError> {
    if found.is_empty() {
        return Ok(found);
    }
    let describe = || format!("cannot look through {}", options.data_dir.display());
    let known = known_uids(files, options, directories);
    let all_read = directories.failed().is_none();
    let mut kept = Vec::new();
    for extent in found {
        let on_disk = extent.state == ExtentState::Written;
        if !on_disk && extent.committed > 0 {
            if known.contains(&extent.log) || !all_read {
                kept.push(extent);
                continue;
            }
            let piece = memory_piece(pool, &extent);
            set_extent_aside(&**files, &options.data_dir, extent.log, &piece)
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

/// The logs in all directories; one that cannot be read has failed.
fn known_uids(
    files: &Arc<dyn FileSystem>,
    options: &StoreOptions,
    directories: &LogDirectories,
) -> HashSet<LogUid> {
    let files = files.clone();
    let uids_in = move |directory: &Path, progress: &Progress| {
        let uid_of = |name: String| {
            let path = directory.join(name).join(PARTITION_METADATA);
            let text = files.read(&path).ok();
            progress.step();
            let text = text?;
            decode_partition_metadata(&String::from_utf8_lossy(&text))?.1
        };
        let names = files.list(directory)?;
        io::Result::Ok(names.into_iter().filter_map(uid_of).collect::<Vec<_>>())
    };
    let mut known = HashSet::new();
    for (number, uids) in (0u16..).zip(directories.ask(options.disk_wait, uids_in)) {
        match uids {
            Some(Ok(uids)) => known.extend(uids),
            Some(Err(error)) => directories.fail(number, &error),
            None => {}
        }
    }
    known
}

/// A log that the helper is opening.
pub(crate) fn opening_log(
    (root, directory): (u16, Arc<PathBuf>),
    id: LogId,
    spec: &LogSpec<'_>,
) -> Log {
    Log {
        id,
        uid: spec.uid,
        topic: spec.topic.into(),
        partition: spec.partition,
        directory,
        root,
        is_full: false,
        is_internal: spec.topic == OFFSETS_TOPIC,
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
        cold_ends: [-1; crate::cold::COLD_READERS],
    }
}
