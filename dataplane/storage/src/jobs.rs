//! What the helper thread does for a store, and what it gives back.

use crate::api::{LogId, LookupTicket, TimedOffset};
use crate::coldseg::{self, PlaceRequest};
use crate::compaction::{SwapRequest, discard, swap};
use crate::directories::LogDirectories;
use crate::epochs::LeaderEpochs;
use crate::find_time::{FindTime, find_time};
use crate::index::{GrowingIndex, SealedIndex, relative};
use crate::layout::{
    CHECKPOINT_LOCK, CLEANER_OFFSETS, LEADER_EPOCHS, LOG_STARTS, OffsetMap, RECOVERY_POINTS,
    base_of, decode_offsets, encode_offsets, segment_file,
};
use crate::opens::Opening;
use crate::producers::ProducerList;
use crate::quarantine::{Mended, Sick, mend};
use crate::recovery::{OpenedLogs, open_logs};
use crate::room::{Garbage, List, Longer, Purpose, Room, RoomSize};
use crate::segment_files::{create_segment, remove_segments, segment_bases, write_index};
use crate::stock::{Delivery, Order};
use crate::transactions::{
    AbortedTransaction, AbortedWrite, aborted_by_segment, read_aborted, write_aborted,
};
use crate::write_behind::is_for_want_of_space;
use precursor_disk::{DiskFile, FileSystem, OpenMode, Unsynced};
use precursor_model::Offset;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a log knew at an offset.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub offset: Offset,
    pub producers: ProducerList,
    /// Leader epochs, when they changed.
    pub epochs: LeaderEpochs,
    pub epochs_changed: bool,
    /// What the segment's transaction index lacks up to the offset.
    pub aborted: AbortedWrite,
}

/// Bases of segments that go, a few at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bases {
    bases: [Offset; 16],
    count: usize,
}

impl Bases {
    pub fn is_full(&self) -> bool {
        self.count == self.bases.len()
    }

    /// There must be room.
    pub fn push(&mut self, base: Offset) {
        self.bases[self.count] = base;
        self.count += 1;
    }

    pub fn as_slice(&self) -> &[Offset] {
        &self.bases[..self.count]
    }
}

/// What of a log the checkpoint files are to say.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub topic: Arc<str>,
    pub partition: i32,
    pub recovery_point: Offset,
    pub log_start: Offset,
    pub clean_to: Offset,
}

/// Work that ends a segment, or moves the recovery point within the active one.
#[derive(Debug)]
pub(crate) struct SettleJob {
    pub log: LogId,
    pub directory: Arc<PathBuf>,
    pub base: Offset,
    /// True bytes of the segment.
    pub size: u64,
    pub index: Arc<GrowingIndex>,
    pub newest: Option<(i64, Offset)>,
    pub snapshot: Snapshot,
    /// Cut the padding after the last batch: nothing is written behind it any more.
    pub truncate: bool,
    /// Sync the data too; else the engine has done so.
    pub sync: bool,
    /// Nothing more is appended to this segment.
    pub seals: bool,
}

#[derive(Debug)]
pub(crate) enum Job {
    /// Opens logs of one directory.
    Open(u16, Vec<Opening>),
    Create {
        log: LogId,
        directory: Arc<PathBuf>,
        base: Offset,
    },
    /// Reserves room in a segment's file up to here.
    Reserve(DiskFile, u64),
    Settle(SettleJob),
    /// Settles many logs, whose syncs wait together.
    SettleAll(Vec<SettleJob>),
    /// Merges these into the checkpoint files of a directory, which all shards share.
    Checkpoints {
        directories: Arc<LogDirectories>,
        root: u16,
        changed: Vec<Checkpoint>,
        removed: Vec<(String, i32)>,
    },
    /// Whether a log directory can be written.
    Probe(u16, PathBuf),
    Load {
        log: LogId,
        directory: Arc<PathBuf>,
        base: Offset,
        generation: u32,
        size: u64,
        end: Offset,
        /// How many aborted transactions its transaction index must have.
        aborted: usize,
    },
    /// Writes a sealed segment anew without its bad bytes.
    Mend {
        log: LogId,
        generation: u32,
        sick: Box<Sick>,
    },
    /// Puts a cleaned segment in the place of others; `clean_to` comes back.
    Swap {
        log: LogId,
        request: SwapRequest,
        clean_to: Option<Offset>,
    },
    /// Removes a cleaned segment that came too late.
    DiscardCleaned {
        directory: Arc<PathBuf>,
        base: Offset,
    },
    /// Puts the container of a cold segment in the segment's place.
    Place {
        log: LogId,
        generation: u32,
        request: PlaceRequest,
    },
    /// Removes a container that came too late.
    DiscardContainer {
        directory: Arc<PathBuf>,
        base: Offset,
    },
    RemoveSegments {
        log: LogId,
        directory: Arc<PathBuf>,
        bases: Bases,
    },
    RemoveLog(Arc<PathBuf>),
    FindTime(LookupTicket, FindTime),
    MakeRoom(LogId, Purpose, RoomSize),
    /// Makes a longer list, of this capacity.
    Lengthen(LogId, List, usize),
    MakeStock(Order),
    Discard(Garbage),
}

/// The index of the segment, if it is sealed.
pub(crate) type Settled = io::Result<Option<Arc<SealedIndex>>>;

pub(crate) enum Outcome {
    Opened(u16, OpenedLogs),
    Created(LogId, Offset, io::Result<DiskFile>),
    Reserved(io::Result<()>),
    /// Log, base, offset below which everything is settled, the index if the segment is sealed.
    Settled {
        log: LogId,
        base: Offset,
        offset: Offset,
        result: Settled,
    },
    /// Of logs whose segments go on: the offset below which everything is settled.
    SettledAll(Vec<(LogId, Offset, Offset, Settled)>),
    /// Of a directory; the list comes back empty.
    Checkpointed(u16, Vec<Checkpoint>, io::Result<()>),
    Probed(u16, io::Result<()>),
    /// Of a segment and a generation of it.
    Loaded(
        LogId,
        (Offset, u32),
        io::Result<(DiskFile, Arc<SealedIndex>)>,
    ),
    /// Of a segment and the generation of it that was damaged.
    Mended(LogId, (Offset, u32), io::Result<Mended>),
    Swapped {
        log: LogId,
        clean_to: Option<Offset>,
        result: io::Result<()>,
    },
    DiscardedCleaned,
    /// Of a segment and a generation of it: the container's bytes.
    Placed(LogId, (Offset, u32), io::Result<u64>),
    RemovedSegments(LogId, io::Result<()>),
    RemovedLog(io::Result<()>),
    Found(LookupTicket, io::Result<Option<TimedOffset>>),
    Room(LogId, Purpose, Room),
    Longer(LogId, Longer),
    Stock(Delivery),
    Discarded,
}

/// Does a job, blocking.
pub(crate) fn run(files: &dyn FileSystem, job: Job) -> Outcome {
    match job {
        Job::Open(root, openings) => Outcome::Opened(root, open_logs(files, openings)),
        Job::Create {
            log,
            directory,
            base,
        } => Outcome::Created(log, base, create_segment(files, &directory, base)),
        Job::Reserve(file, end) => Outcome::Reserved(file.reserve(end)),
        Job::Settle(job) => settle(files, job),
        Job::SettleAll(jobs) => settle_many(files, jobs),
        Job::Checkpoints {
            directories,
            root,
            mut changed,
            removed,
        } => {
            let written = write_checkpoints(files, directories.path(root), &changed, &removed);
            changed.clear();
            Outcome::Checkpointed(root, changed, written)
        }
        Job::Probe(root, path) => Outcome::Probed(root, files.probe(&path)),
        Job::Load {
            log,
            directory,
            base,
            generation,
            size,
            end,
            aborted,
        } => Outcome::Loaded(
            log,
            (base, generation),
            load_segment(files, &directory, base, (size, end), aborted),
        ),
        Job::Mend {
            log,
            generation,
            sick,
        } => Outcome::Mended(log, (sick.base, generation), mend(files, &sick)),
        Job::Swap {
            log,
            request,
            clean_to,
        } => Outcome::Swapped {
            log,
            clean_to,
            result: swap(files, &request),
        },
        Job::DiscardCleaned { directory, base } => {
            // What stays behind is removed when the log is opened.
            let _ = discard(files, &directory, base);
            Outcome::DiscardedCleaned
        }
        Job::Place {
            log,
            generation,
            request,
        } => Outcome::Placed(
            log,
            (request.base, generation),
            coldseg::place(files, &request),
        ),
        Job::DiscardContainer { directory, base } => {
            // What stays behind is removed when the log is opened.
            let _ = coldseg::discard(files, &directory, base);
            Outcome::DiscardedCleaned
        }
        Job::RemoveSegments {
            log,
            directory,
            bases,
        } => {
            let removed = remove_segments(files, &directory, bases.as_slice());
            let removed = removed.and_then(|()| coldseg::prune(files, &directory));
            Outcome::RemovedSegments(log, removed)
        }
        Job::RemoveLog(directory) => Outcome::RemovedLog(remove_log(files, &directory)),
        Job::FindTime(ticket, request) => Outcome::Found(ticket, find_time(files, &request)),
        Job::MakeRoom(log, purpose, size) => Outcome::Room(log, purpose, Room::make(size)),
        Job::Lengthen(log, list, capacity) => Outcome::Longer(log, Longer::make(list, capacity)),
        Job::MakeStock(order) => Outcome::Stock(Delivery::make(order)),
        Job::Discard(garbage) => {
            drop(garbage);
            Outcome::Discarded
        }
    }
}

fn settle(files: &dyn FileSystem, mut job: SettleJob) -> Outcome {
    let (log, base, offset) = (job.log, job.base, job.snapshot.offset);
    let goes_on = !job.seals;
    let mut settled = settle_all(files, std::slice::from_mut(&mut job));
    match settled.pop().unwrap_or(Ok(None)) {
        // The recovery point stays where it is until there is room for what speaks of it.
        Err(error) if goes_on && is_for_want_of_space(&error) => Outcome::Discarded,
        result => Outcome::Settled {
            log,
            base,
            offset,
            result,
        },
    }
}

fn settle_many(files: &dyn FileSystem, mut jobs: Vec<SettleJob>) -> Outcome {
    let settled = settle_all(files, &mut jobs);
    let places = jobs
        .iter()
        .map(|job| (job.log, job.base, job.snapshot.offset));
    let settled = places.zip(settled);
    Outcome::SettledAll(
        settled
            .map(|((log, base, offset), result)| (log, base, offset, result))
            .collect(),
    )
}

/// Data first, then what speaks of it, then the leader epochs; each step of all together.
fn settle_all(files: &dyn FileSystem, jobs: &mut [SettleJob]) -> Vec<Settled> {
    let opened: Vec<_> = jobs.iter().map(|job| end_data(files, job)).collect();
    let open = opened.iter().flatten().flatten();
    let unsynced: Vec<_> = open.map(|file| Unsynced::File(file.clone())).collect();
    let mut synced = files.sync_all(&unsynced).into_iter();
    let settled: Vec<Settled> = jobs
        .iter_mut()
        .zip(opened)
        .map(|(job, opened)| {
            if opened?.is_some() {
                synced.next().unwrap_or(Ok(()))?;
            }
            write_settled(files, job)
        })
        .collect();
    let is_changed = |job: &SettleJob| job.snapshot.epochs_changed;
    let done = jobs.iter().zip(&settled).filter(|(_, done)| done.is_ok());
    let texts: Vec<(PathBuf, String)> = done
        .filter(|(job, _)| is_changed(job))
        .map(|(job, _)| {
            let path = job.directory.join(LEADER_EPOCHS);
            (path, job.snapshot.epochs.encode())
        })
        .collect();
    let epochs: Vec<(PathBuf, &[u8])> = texts
        .iter()
        .map(|(path, text)| (path.clone(), text.as_bytes()))
        .collect();
    let mut replaced = files.replace_all(&epochs).into_iter();
    jobs.iter()
        .zip(settled)
        .map(|(job, settled)| {
            let index = settled?;
            if is_changed(job) {
                replaced.next().unwrap_or(Ok(()))?;
            }
            Ok(index)
        })
        .collect()
}

/// Cuts the padding; the file, when it is to be synced.
fn end_data(files: &dyn FileSystem, job: &SettleJob) -> io::Result<Option<DiskFile>> {
    if !job.truncate && !job.sync {
        return Ok(None);
    }
    let path = segment_file(&job.directory, job.base, "log");
    let file = files.open(&path, OpenMode::Plain)?;
    if job.truncate && file.length()? > job.size {
        file.set_length(job.size)?;
    }
    Ok(Some(file))
}

/// Index and producers of data that is durable.
fn write_settled(files: &dyn FileSystem, job: &mut SettleJob) -> Settled {
    let newest = job.newest;
    let newest = newest.and_then(|(t, offset)| Some((t, relative(offset, job.base)?)));
    let index = SealedIndex::from_growing(&job.index, newest);
    write_index(files, &job.directory, job.base, &index)?;
    let aborted = &job.snapshot.aborted;
    if !aborted.entries().is_empty() {
        let (at, entries) = (aborted.at, aborted.entries());
        write_aborted(files, &job.directory, job.base, at, entries)?;
    }
    let index = index.with_aborted(aborted.list.to_vec());
    job.snapshot.producers.sort();
    write_snapshot(files, &job.directory, &job.snapshot)?;
    Ok(job.seals.then(|| Arc::new(index)))
}

/// Keeps this snapshot and the one before it. They carry checksums, so they need no sync.
fn write_snapshot(files: &dyn FileSystem, directory: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let kinds = [
        ("producers", snapshot.producers.encode_whole()),
        ("snapshot", snapshot.producers.encode_snapshot()),
    ];
    let names = files.list(directory)?;
    for (kind, bytes) in kinds {
        let path = segment_file(directory, snapshot.offset, kind);
        let file = files.open(&path, OpenMode::Create)?;
        file.set_length(bytes.len() as u64)?;
        file.write_at(&bytes, 0)?;
        let mut old: Vec<Offset> = names
            .iter()
            .filter_map(|name| base_of(name, kind))
            .collect();
        old.retain(|offset| *offset < snapshot.offset);
        old.sort_unstable();
        old.pop();
        for offset in old {
            files.remove_file(&segment_file(directory, offset, kind))?;
        }
    }
    Ok(())
}

fn write_checkpoints(
    files: &dyn FileSystem,
    directory: &Path,
    changed: &[Checkpoint],
    removed: &[(String, i32)],
) -> io::Result<()> {
    let _lock = files.lock(&directory.join(CHECKPOINT_LOCK))?;
    let offsets = |of: fn(&Checkpoint) -> Option<Offset>| {
        let of_log = |log: &Checkpoint| Some(((log.topic.to_string(), log.partition), of(log)?));
        changed.iter().filter_map(of_log).collect::<OffsetMap>()
    };
    let maps = [
        (RECOVERY_POINTS, offsets(|log| Some(log.recovery_point))),
        (LOG_STARTS, offsets(|log| Some(log.log_start))),
        (
            CLEANER_OFFSETS,
            offsets(|log| Some(log.clean_to).filter(|offset| *offset > 0)),
        ),
    ];
    for (name, changed) in maps {
        let path = directory.join(name);
        let mut all = read_offsets(files, &path)?;
        let before = all.clone();
        for key in removed {
            all.remove(key);
        }
        all.extend(changed);
        if all != before {
            files.replace(&path, encode_offsets(&all).as_bytes())?;
        }
    }
    Ok(())
}

/// An offset checkpoint; empty when it is absent or not sound, which only makes recovery longer.
pub(crate) fn read_offsets(files: &dyn FileSystem, path: &Path) -> io::Result<OffsetMap> {
    match files.read(path) {
        Ok(bytes) => Ok(decode_offsets(&String::from_utf8_lossy(&bytes)).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(OffsetMap::new()),
        Err(error) => Err(error),
    }
}

/// The file and index of a sealed segment. An index that is missing or cannot be right is made
/// again from the segment's headers.
fn load_segment(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    (size, last): (u64, Offset),
    aborted: usize,
) -> io::Result<(DiskFile, Arc<SealedIndex>)> {
    let aborted = load_aborted(files, directory, base, last, aborted)?;
    let read = |kind| {
        files
            .read(&segment_file(directory, base, kind))
            .unwrap_or_default()
    };
    let file = files.open(&segment_file(directory, base, "log"), OpenMode::Data)?;
    let end = relative(last, base).unwrap_or(u32::MAX);
    let found = SealedIndex::decode(&read("index"), &read("timeindex"), size, end);
    if let Some(index) = found.filter(|index| index.last_entry().is_some() || size < 65_536) {
        return Ok((file, Arc::new(index.with_aborted(aborted))));
    }
    let plain = files.open(&segment_file(directory, base, "log"), OpenMode::Plain)?;
    let index = crate::find_time::rebuild_index(&plain, base, size)?;
    write_index(files, directory, base, &index)?;
    Ok((file, Arc::new(index.with_aborted(aborted))))
}

/// The transaction index of a sealed segment, made again from the log where it is not what it was.
fn load_aborted(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    end: Offset,
    count: usize,
) -> io::Result<Vec<AbortedTransaction>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let found = read_aborted(files, directory, base, end)?;
    if let Some(found) = found.filter(|found| found.len() == count) {
        return Ok(found);
    }
    let bases = segment_bases(files, directory)?;
    let mut all = aborted_by_segment(files, directory, &bases)?;
    let at = bases.iter().position(|other| *other == base);
    let made = at.map_or(Vec::new(), |at| all.swap_remove(at));
    write_aborted(files, directory, base, 0, &made)?;
    Ok(made)
}

/// Removes a partition's directory by way of another name, so that a crash leaves no half log.
fn remove_log(files: &dyn FileSystem, directory: &Path) -> io::Result<()> {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".delete");
    let doomed = directory.with_file_name(name);
    let _ = files.remove_directory(&doomed);
    match files.rename(directory, &doomed) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    files.sync_directory(directory.parent().unwrap_or(Path::new(".")))?;
    files.remove_directory(&doomed)
}
