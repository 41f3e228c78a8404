//! Bad bytes of a segment, and what takes their place.
//!
//! Nothing is deleted: the bytes go to files of their own in the data directory's `quarantine`. In
//! their place stands a batch without records that covers the lost offsets, as compaction leaves
//! one: readers go on behind it.

use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::coldseg;
use crate::epochs::LeaderEpochs;
use crate::index_builder::IndexBuilder;
use crate::layout::segment_file;
use crate::segment_walk::{Hole, Piece, SegmentWalk};
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_model::Offset;
use precursor_protocol::records::write_placeholder;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The directory within a data directory.
pub(crate) const QUARANTINE: &str = "quarantine";
const BUFFER: usize = 1 << 20;
/// The files of a segment, the log last: its name decides.
const KINDS: [&str; 3] = ["index", "timeindex", "log"];

/// A segment that is to be freed of what is bad in it.
#[derive(Clone, Debug)]
pub(crate) struct Sick {
    pub data_dir: PathBuf,
    /// The partition's.
    pub directory: PathBuf,
    pub base: Offset,
    /// Bytes of the file that count.
    pub size: u64,
    /// Where the next segment begins; `None` for the last one.
    pub next_base: Option<Offset>,
    /// Offsets up to here were given away: the segment is to reach so far.
    pub fill_to: Option<Offset>,
    pub index_interval: u32,
    /// Leader epochs that are to stand in the batches; they are not under the checksum.
    pub epochs: Option<LeaderEpochs>,
}

/// A segment without its bad bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mended {
    pub base: Offset,
    pub size: u64,
    /// The offset behind the last.
    pub end: Offset,
    /// Newest timestamp, and the offset that carries it.
    pub newest: Option<(i64, Offset)>,
    /// Timestamp of the first batch.
    pub first_ms: Option<i64>,
    /// What was taken out.
    pub holes: Vec<Hole>,
}

/// Puts a segment without its bad bytes in the place of one, and those bytes into quarantine. A
/// crash leaves either segment.
///
/// # Errors
/// What the disk says; `InvalidData` when what is missing does not fit into the segment.
pub(crate) fn mend(files: &dyn FileSystem, sick: &Sick) -> io::Result<Mended> {
    let place = place_of(&sick.data_dir, &sick.directory);
    files.create_directory(&place)?;
    let mended = Mender::begin(files, sick, &place)?.run()?;
    if !mended.holes.is_empty() && coldseg::is_cold(files, &sick.directory, sick.base)? {
        coldseg::copy_aside(files, &sick.directory, sick.base)?;
    }
    put_in_place(files, sick, &place, mended.size == 0)?;
    for hole in &mended.holes {
        tracing::error!(
            file = %segment_file(&sick.directory, sick.base, "log").display(),
            position = hole.position,
            bytes = hole.end - hole.position,
            first_offset = hole.first,
            next_offset = hole.next.or(sick.next_base).unwrap_or(mended.end),
            why = %hole.fault,
            quarantine = %place.display(),
            "a damaged batch was taken out of a segment; the rest is served"
        );
    }
    Ok(mended)
}

/// Moves a file into quarantine as it is.
pub(crate) fn move_aside(files: &dyn FileSystem, data_dir: &Path, path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(data_dir);
    let place = place_of(data_dir, directory);
    files.create_directory(&place)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    files.rename(path, &free_name(files, &place, &name)?)?;
    files.sync_directory(directory)?;
    files.sync_directory(&place)
}

/// Copies a file of a partition into quarantine.
pub(crate) fn keep_copy(
    files: &dyn FileSystem,
    directory: &Path,
    path: &Path,
    source: &DiskFile,
) -> io::Result<()> {
    let place = place_of(directory.parent().unwrap_or(directory), directory);
    files.create_directory(&place)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let copy = files.open(&free_name(files, &place, &name)?, OpenMode::Create)?;
    let mut piece = vec![0; BUFFER];
    let mut at = 0;
    loop {
        let got = source.read_at(&mut piece, at)?;
        if got == 0 {
            break;
        }
        copy.write_at(&piece[..got], at)?;
        at += got as u64;
    }
    copy.sync()?;
    files.sync_directory(&place)
}

fn place_of(data_dir: &Path, directory: &Path) -> PathBuf {
    let place = data_dir.join(QUARANTINE);
    match directory == data_dir {
        true => place,
        false => place.join(directory.file_name().unwrap_or_default()),
    }
}

/// A name that is not taken: what was put aside earlier stays.
fn free_name(files: &dyn FileSystem, place: &Path, name: &str) -> io::Result<PathBuf> {
    let taken = files.list(place)?;
    let others = (2..).map(|number| format!("{name}.{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(others);
    let free = names.find(|name| !taken.contains(name));
    Ok(place.join(free.unwrap_or_default()))
}

/// Writes what stays of a segment.
struct Mender<'a> {
    files: &'a dyn FileSystem,
    sick: &'a Sick,
    place: &'a Path,
    source: DiskFile,
    file: DiskFile,
    buffer: Vec<u8>,
    size: u64,
    index: IndexBuilder,
    epoch: i32,
    holes: Vec<Hole>,
}

impl<'a> Mender<'a> {
    fn begin(files: &'a dyn FileSystem, sick: &'a Sick, place: &'a Path) -> io::Result<Self> {
        let source = segment_file(&sick.directory, sick.base, "log");
        let file = files.open(&mended_file(place, sick.base, "log"), OpenMode::Create)?;
        file.set_length(0)?;
        Ok(Mender {
            files,
            sick,
            place,
            source: files.open(&source, OpenMode::Read)?,
            file,
            buffer: Vec::new(),
            size: 0,
            index: IndexBuilder::new(sick.base, sick.index_interval),
            epoch: -1,
            holes: Vec::new(),
        })
    }

    fn run(mut self) -> io::Result<Mended> {
        let sick = self.sick;
        let source = self.source.clone();
        let mut walk = SegmentWalk::new(source, sick.size, sick.base, sick.next_base);
        while let Some(piece) = walk.next()? {
            match piece {
                Piece::Batch {
                    header,
                    position,
                    end,
                } => {
                    let mut batch = walk.bytes(position, end)?.to_vec();
                    let epoch = self.epoch_for(&header);
                    batch[12..16].copy_from_slice(&epoch.to_be_bytes());
                    self.append(&batch)?;
                }
                Piece::Hole(hole) => {
                    if let Some(next) = hole.next {
                        self.fill(hole.first, next)?;
                    }
                    if hole.end > hole.position {
                        self.keep_aside(&hole)?;
                    }
                    self.holes.push(hole);
                }
            }
        }
        let mut end = walk.expected();
        if let Some(to) = sick.fill_to.filter(|to| *to > end) {
            self.fill(end, to)?;
            end = to;
        }
        self.finish(end)
    }

    /// The checkpoint's epoch where it knows one; epochs never go down.
    fn epoch_for(&mut self, header: &BatchHeader) -> i32 {
        let known = self.known_epoch(header.base_offset);
        self.epoch = known.unwrap_or(header.leader_epoch.max(self.epoch));
        self.epoch
    }

    fn known_epoch(&self, offset: Offset) -> Option<i32> {
        let epochs = self.sick.epochs.as_ref()?;
        Some(epochs.epoch_of(offset)).filter(|epoch| *epoch >= 0)
    }

    /// Batches without records from one offset up to another.
    fn fill(&mut self, first: Offset, next: Offset) -> io::Result<()> {
        if next <= first {
            return Ok(());
        }
        if next - first > i64::from(i32::MAX) {
            return Err(too_much());
        }
        let newest = self.index.newest.map_or(-1, |newest| newest.0);
        let epoch = self.known_epoch(first).unwrap_or(self.epoch);
        let mut batch = Vec::with_capacity(HEADER_LENGTH);
        write_placeholder(first, next - 1, epoch, newest, &mut batch);
        self.append(&batch)
    }

    fn append(&mut self, batch: &[u8]) -> io::Result<()> {
        let header = BatchHeader::parse_prefix(batch).ok_or(ErrorKind::InvalidData)?;
        if !self.index.note(&header, self.size) {
            return Err(too_much());
        }
        self.buffer.extend_from_slice(batch);
        self.size += batch.len() as u64;
        match self.buffer.len() >= BUFFER {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let start = self.size - self.buffer.len() as u64;
        self.file.write_at(&self.buffer, start)?;
        self.buffer.clear();
        Ok(())
    }

    /// Copies bad bytes to a file whose name says where they were.
    fn keep_aside(&mut self, hole: &Hole) -> io::Result<()> {
        let name = format!("{:020}.log.{}-{}", self.sick.base, hole.position, hole.end);
        let path = free_name(self.files, self.place, &name)?;
        let file = self.files.open(&path, OpenMode::Create)?;
        let mut piece = vec![0; BUFFER];
        let mut at = hole.position;
        while at < hole.end {
            let count = (hole.end - at).min(BUFFER as u64) as usize;
            let got = self.source.read_at(&mut piece[..count], at)?;
            if got == 0 {
                break;
            }
            file.write_at(&piece[..got], at - hole.position)?;
            at += got as u64;
        }
        file.sync()
    }

    fn finish(mut self, end: Offset) -> io::Result<Mended> {
        self.flush()?;
        self.file.sync()?;
        let index = self.index.finish();
        let contents = [
            ("index", index.offset_bytes()),
            ("timeindex", index.time_bytes()),
        ];
        for (kind, bytes) in contents {
            let path = mended_file(self.place, self.sick.base, kind);
            let file = self.files.open(&path, OpenMode::Create)?;
            file.set_length(bytes.len() as u64)?;
            file.write_at(&bytes, 0)?;
        }
        self.files.sync_directory(self.place)?;
        Ok(Mended {
            base: self.sick.base,
            size: self.size,
            end,
            newest: self.index.newest.filter(|newest| newest.0 >= 0),
            first_ms: self.index.first_ms,
            holes: self.holes,
        })
    }
}

fn too_much() -> io::Error {
    let message = "the offsets that are missing do not fit into the segment";
    io::Error::new(ErrorKind::InvalidData, message)
}

fn mended_file(place: &Path, base: Offset, kind: &str) -> PathBuf {
    segment_file(place, base, &format!("{kind}.mended"))
}

/// By way of the names that compaction's swap uses: opening the log ends what was begun.
fn put_in_place(
    files: &dyn FileSystem,
    sick: &Sick,
    place: &Path,
    is_empty: bool,
) -> io::Result<()> {
    let directory = &sick.directory;
    if is_empty {
        // A swap that was broken off is ended by its batches: without any it is one step.
        for kind in KINDS {
            let to = segment_file(directory, sick.base, kind);
            files.rename(&mended_file(place, sick.base, kind), &to)?;
        }
        return files.sync_directory(directory);
    }
    for kind in KINDS {
        let to = segment_file(directory, sick.base, &format!("{kind}.swap"));
        files.rename(&mended_file(place, sick.base, kind), &to)?;
    }
    files.sync_directory(directory)?;
    for kind in KINDS {
        let from = segment_file(directory, sick.base, &format!("{kind}.swap"));
        files.rename(&from, &segment_file(directory, sick.base, kind))?;
    }
    files.sync_directory(directory)
}
