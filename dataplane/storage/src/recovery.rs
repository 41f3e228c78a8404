//! Opens one log on the helper thread: creates it, or finds what of it is sound on disk and in the
//! region, cuts the rest, and rebuilds indexes and producer state.
//!
//! Every step may be done again: dying here is like dying in an append.

use crate::batch::BatchHeader;
use crate::epochs::LeaderEpochs;
use crate::find_time::rebuild_index;
use crate::index::{GrowingIndex, IndexEntry, SealedIndex, relative};
use crate::layout::{
    LEADER_EPOCHS, PARTITION_METADATA, SET_ASIDE, base_of, decode_partition_metadata,
    encode_partition_metadata, segment_file,
};
use crate::producers::ProducerState;
use crate::scan::{MemoryPiece, SegmentScan, walk_headers};
use crate::segment_files::{
    create_segment, remove_segments, segment_bases, set_extent_aside, write_index,
};
use precursor_disk::{BLOCK, DiskFile, FileSystem, OpenMode};
use precursor_model::{LogUid, Offset, TopicId};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// What is needed to open a log.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub data_dir: PathBuf,
    pub directory: PathBuf,
    pub uid: LogUid,
    pub topic_id: TopicId,
    pub index_interval: u32,
    /// Everything below is on disk, validated, indexed.
    pub recovery_point: Offset,
    pub log_start: Offset,
    /// The largest epoch that a batch can carry.
    pub leader_epoch: i32,
    pub memory: Vec<MemoryPiece>,
}

/// A segment that is not appended to.
#[derive(Debug)]
pub(crate) struct OpenedSegment {
    pub base: Offset,
    pub size: u64,
    /// Newest timestamp and the offset that carries it.
    pub newest: Option<(i64, Offset)>,
}

/// A log as it was found.
pub(crate) struct OpenedLog {
    pub sealed: Vec<OpenedSegment>,
    pub active: OpenedSegment,
    pub active_file: DiskFile,
    pub index: GrowingIndex,
    /// Bytes since the index's last entry.
    pub index_bytes: u64,
    /// Timestamp of the active segment's first batch.
    pub first_timestamp: Option<i64>,
    /// The active segment's bytes past its last whole block.
    pub tail_block: Vec<u8>,
    pub start: Offset,
    pub end: Offset,
    /// What the checkpoint said, and the log still reaches: indexes and snapshots end there.
    pub recovery_point: Offset,
    /// The recovery point and start that are in the checkpoint files.
    pub checkpointed: (Offset, Offset),
    pub producers: ProducerState,
    pub epochs: LeaderEpochs,
    pub report: RecoveryReport,
}

/// What recovery did, for the log line and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecoveryReport {
    pub batches_validated: u64,
    pub bytes_rescued: u64,
    pub bytes_cut: u64,
    pub set_aside: u64,
}

/// Creates or recovers a log.
pub(crate) fn open_log(files: &dyn FileSystem, request: &OpenRequest) -> io::Result<OpenedLog> {
    prepare_directory(files, request)?;
    crate::compaction::recover(files, &request.directory)?;
    let mut bases = segment_bases(files, &request.directory)?;
    if bases.is_empty() {
        let base = first_base(request);
        create_segment(files, &request.directory, base)?;
        bases.push(base);
    }
    let mut recovery = Recovery::begin(files, request, &bases)?;
    recovery.scan_all(&bases)?;
    recovery.finish()
}

/// A new log begins at its start offset, or where the region's first extent says.
fn first_base(request: &OpenRequest) -> Offset {
    let remembered = request.memory.iter().map(|piece| piece.segment_base).min();
    remembered.unwrap_or(request.log_start).max(0)
}

fn prepare_directory(files: &dyn FileSystem, request: &OpenRequest) -> io::Result<()> {
    let directory = &request.directory;
    let metadata_path = directory.join(PARTITION_METADATA);
    let text = match files.read(&metadata_path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let found = decode_partition_metadata(&text);
    let ours = (request.topic_id, Some(request.uid));
    if found == Some(ours) {
        return Ok(());
    }
    if let Some((topic, uid)) = found {
        let other_log = uid.is_some_and(|uid| uid != request.uid);
        if topic != request.topic_id || other_log {
            // An earlier topic of this name, whose removal did not come to its end.
            set_directory_aside(files, request, uid)?;
        }
    }
    files.create_directory(directory)?;
    let text = encode_partition_metadata(request.topic_id, request.uid);
    files.replace(&metadata_path, text.as_bytes())?;
    files.sync_directory(&request.data_dir)
}

fn set_directory_aside(
    files: &dyn FileSystem,
    request: &OpenRequest,
    uid: Option<LogUid>,
) -> io::Result<()> {
    let place = request.data_dir.join(SET_ASIDE);
    files.create_directory(&place)?;
    let name = request.directory.file_name().unwrap_or_default();
    let uid = uid.map_or(0, |uid| uid.0);
    let target = place.join(format!("{}.{uid}", name.to_string_lossy()));
    files.rename(&request.directory, &target)
}

/// The segment under the cursor, and what is gathered on the way.
struct Recovery<'a> {
    files: &'a dyn FileSystem,
    request: &'a OpenRequest,
    sealed: Vec<OpenedSegment>,
    base: Offset,
    position: u64,
    expected: Offset,
    index: GrowingIndex,
    index_bytes: u64,
    newest: Option<(i64, Offset)>,
    first_timestamp: Option<i64>,
    producers: ProducerState,
    /// The snapshot that `producers` began with.
    snapshot: Offset,
    /// Batches below are in `producers` already.
    producers_from: Offset,
    epochs: LeaderEpochs,
    report: RecoveryReport,
}

impl<'a> Recovery<'a> {
    /// Stands at the last batch that is known to be sound.
    fn begin(
        files: &'a dyn FileSystem,
        request: &'a OpenRequest,
        bases: &[Offset],
    ) -> io::Result<Self> {
        let trusted = bases.partition_point(|base| *base <= request.recovery_point);
        let first = trusted.saturating_sub(1);
        let epochs = files.read(&request.directory.join(LEADER_EPOCHS));
        let epochs = epochs.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut recovery = Recovery {
            files,
            request,
            sealed: Vec::new(),
            base: bases[first],
            position: 0,
            expected: bases[first],
            index: GrowingIndex::with_room(),
            index_bytes: 0,
            newest: None,
            first_timestamp: None,
            producers: ProducerState::default(),
            snapshot: 0,
            producers_from: 0,
            epochs: epochs
                .ok()
                .and_then(|text| LeaderEpochs::decode(&text))
                .unwrap_or_default(),
            report: RecoveryReport::default(),
        };
        for window in bases[..=first].windows(2) {
            let segment = recovery.trusted_segment(window[0], window[1])?;
            recovery.sealed.push(segment);
        }
        recovery.skip_to_recovery_point()?;
        recovery.load_producers(bases, request.recovery_point)?;
        Ok(recovery)
    }

    fn open(&self, base: Offset, kind: &str) -> io::Result<DiskFile> {
        let path = segment_file(&self.request.directory, base, kind);
        self.files.open(&path, OpenMode::Plain)
    }

    fn read(&self, base: Offset, kind: &str) -> io::Result<Vec<u8>> {
        let bytes = self
            .files
            .read(&segment_file(&self.request.directory, base, kind));
        match bytes {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    /// A segment below the recovery point: its newest timestamp is the time index's last entry.
    fn trusted_segment(&self, base: Offset, next: Offset) -> io::Result<OpenedSegment> {
        let file = self.open(base, "log")?;
        let size = file.length()?;
        let times = self.read(base, "timeindex")?;
        let end = relative(next, base).unwrap_or(u32::MAX);
        let index = SealedIndex::decode(&[], &times, size, end);
        let newest = match index.and_then(|index| index.newest()) {
            // A power cut may have taken the index; its age decides whether the segment is kept.
            None if size > 0 => rebuild_index(&file, base, size)?.newest(),
            newest => newest,
        };
        Ok(OpenedSegment {
            base,
            size,
            newest: newest.map(|(timestamp, offset)| (timestamp, base + i64::from(offset))),
        })
    }

    /// Takes over the index below the recovery point, if it fits the bytes that it points to.
    fn skip_to_recovery_point(&mut self) -> io::Result<()> {
        let base = self.base;
        let Some(end) = relative(self.request.recovery_point, base).filter(|end| *end > 0) else {
            return Ok(());
        };
        let file = self.open(base, "log")?;
        let (offsets, times) = (self.read(base, "index")?, self.read(base, "timeindex")?);
        let times = &times[..times.len() / 12 * 12];
        let index = SealedIndex::decode(&offsets, times, file.length()?, u32::MAX);
        let Some(index) = index else {
            return Ok(());
        };
        let below = index.entries().partition_point(|entry| entry.0 < end);
        let Some(&(last, position)) = below.checked_sub(1).map(|at| &index.entries()[at]) else {
            return Ok(());
        };
        let mut header = [0; crate::batch::HEADER_LENGTH];
        file.read_at(&mut header, u64::from(position))?;
        let header = BatchHeader::parse(&header);
        let mut scan = SegmentScan::new(file.clone(), Vec::new())?;
        let sound = scan.batch_at(u64::from(position), header.base_offset, None)?;
        if sound.is_none() || header.last_offset() != base + i64::from(last) {
            return Ok(());
        }
        let mut spare = Vec::new();
        for (relative_offset, position) in &index.entries()[..below - 1] {
            let known = index
                .times()
                .partition_point(|time| time.1 <= *relative_offset);
            let time = known.checked_sub(1).map(|at| index.times()[at]);
            let (timestamp, timestamp_offset) = time.unwrap_or((-1, 0));
            let entry = IndexEntry {
                relative_offset: *relative_offset,
                position: *position,
                timestamp,
                timestamp_offset,
            };
            self.index.push(entry, &mut spare);
            if timestamp >= 0 {
                self.newest = Some((timestamp, base + i64::from(timestamp_offset)));
            }
        }
        let mut first = [0; crate::batch::HEADER_LENGTH];
        if file.read_at(&mut first, 0)? == first.len() {
            self.first_timestamp = Some(BatchHeader::parse(&first).max_timestamp);
        }
        self.position = u64::from(position);
        self.expected = header.base_offset;
        // The batch at the cursor is indexed again.
        self.index_bytes = u64::from(self.request.index_interval) + 1;
        Ok(())
    }

    /// The newest sound snapshot at or below an offset, and the batches from it to the cursor.
    fn load_producers(&mut self, bases: &[Offset], newest: Offset) -> io::Result<()> {
        self.producers = ProducerState::default();
        let directory = &self.request.directory;
        let mut found: Vec<(Offset, &str)> = Vec::new();
        for name in self.files.list(directory)? {
            for kind in ["producers", "snapshot"] {
                found.extend(base_of(&name, kind).map(|offset| (offset, kind)));
            }
        }
        // Newest first; ours, which knows more, before Kafka's ("snapshot" sorts after).
        found.sort_by_key(|(offset, kind)| (std::cmp::Reverse(*offset), *kind));
        let mut from = bases[0];
        for (offset, kind) in found {
            // Between an older one and the first segment there may be batches that are gone.
            if offset > newest || offset < bases[0] {
                continue;
            }
            let bytes = self.read(offset, kind)?;
            let state = match kind {
                "producers" => ProducerState::decode_whole(&bytes),
                _ => ProducerState::decode_snapshot(&bytes),
            };
            if let Some(state) = state {
                self.producers = state;
                from = offset;
                break;
            }
        }
        self.snapshot = from;
        self.replay_producers(bases, from)
    }

    fn replay_producers(&mut self, bases: &[Offset], from: Offset) -> io::Result<()> {
        self.producers_from = from.max(self.expected);
        let until = self.expected;
        let first = bases
            .partition_point(|base| *base <= from)
            .saturating_sub(1);
        for base in bases[first..].iter().take_while(|base| **base < until) {
            let file = self.open(*base, "log")?;
            let end = file.length()?;
            let producers = &mut self.producers;
            walk_headers(&file, 0, end, |header, _| {
                if header.base_offset >= until {
                    return false;
                }
                if header.base_offset >= from {
                    producers.record(header, header.max_timestamp);
                }
                true
            })?;
        }
        Ok(())
    }

    fn scan_all(&mut self, bases: &[Offset]) -> io::Result<()> {
        let first = bases.partition_point(|base| *base <= self.base) - 1;
        let mut later: Vec<Offset> = bases[first + 1..].to_vec();
        loop {
            let rejected = self.scan_segment(later.first().copied())?;
            let next = self.expected;
            let in_memory = self.request.memory.iter().any(|p| p.segment_base == next);
            let has_next = later.first() == Some(&next) || (in_memory && next > self.base);
            if !has_next {
                self.set_memory_aside(&rejected)?;
                break;
            }
            // The earlier segment is complete: whatever follows its last batch is padding.
            self.seal_scanned()?;
            if later.first() == Some(&next) {
                later.remove(0);
            } else {
                create_segment(self.files, &self.request.directory, next)?;
            }
            self.base = next;
            self.position = 0;
            self.index = GrowingIndex::with_room();
            self.index_bytes = 0;
            self.newest = None;
            self.first_timestamp = None;
        }
        let last = self.base;
        let beyond = self.request.memory.iter().filter(|p| p.segment_base > last);
        let beyond: Vec<MemoryPiece> = beyond.cloned().collect();
        self.set_memory_aside(&beyond)?;
        self.set_segments_aside(&later)
    }

    /// Walks the segment from the cursor to its last sound batch and cuts the rest. A segment that
    /// has a successor and nothing in memory may be one that compaction made gaps in.
    fn scan_segment(&mut self, next: Option<Offset>) -> io::Result<Vec<MemoryPiece>> {
        let request = self.request;
        let file = self.open(self.base, "log")?;
        let memory = request.memory.iter();
        let memory: Vec<&MemoryPiece> = memory
            .filter(|piece| piece.segment_base == self.base)
            .collect();
        let gaps_until = next.filter(|_| memory.is_empty());
        let mut scan = SegmentScan::new(file.clone(), memory)?;
        while let Some(batch) = scan.batch_at(self.position, self.expected, gaps_until)? {
            self.take_batch(&batch.header, batch.end);
        }
        scan.write_back()?;
        let rejected = scan.rejected(self.position, self.expected)?;
        let length = file.length()?;
        if length > self.position {
            self.report.bytes_cut += length - self.position;
            file.set_length(self.position)?;
        }
        if length != self.position || scan.rescued > 0 || self.report.batches_validated > 0 {
            file.sync()?;
        }
        self.report.bytes_rescued += scan.rescued;
        Ok(rejected)
    }

    fn take_batch(&mut self, header: &BatchHeader, end: u64) {
        self.report.batches_validated += 1;
        let newer = |newest: (i64, Offset)| header.max_timestamp > newest.0;
        if self.newest.is_none_or(newer) {
            self.newest = Some((header.max_timestamp, header.last_offset()));
        }
        self.first_timestamp.get_or_insert(header.max_timestamp);
        if self.index_bytes > u64::from(self.request.index_interval) {
            let (timestamp, offset) = self.newest.unwrap_or((-1, self.base));
            let entry = IndexEntry {
                relative_offset: relative(header.last_offset(), self.base).unwrap_or(0),
                position: self.position as u32,
                timestamp,
                timestamp_offset: relative(offset, self.base).unwrap_or(0),
            };
            self.index.push(entry, &mut Vec::new());
            self.index_bytes = 0;
        }
        self.index_bytes += end - self.position;
        if header.base_offset >= self.producers_from {
            self.producers.record(header, header.max_timestamp);
        }
        // The epoch is not under the checksum: one that never was is not believed.
        if header.leader_epoch <= self.request.leader_epoch {
            self.epochs.assign(header.leader_epoch, header.base_offset);
        }
        self.expected = header.last_offset() + 1;
        self.position = end;
    }

    /// The segment under the cursor has a successor: writes its indexes.
    fn seal_scanned(&mut self) -> io::Result<()> {
        let newest = self.newest;
        let last = newest.and_then(|(t, offset)| Some((t, relative(offset, self.base)?)));
        let index = SealedIndex::from_growing(&self.index, last);
        write_index(self.files, &self.request.directory, self.base, &index)?;
        self.sealed.push(OpenedSegment {
            base: self.base,
            size: self.position,
            newest,
        });
        Ok(())
    }

    fn set_memory_aside(&mut self, pieces: &[MemoryPiece]) -> io::Result<()> {
        for piece in pieces {
            self.report.set_aside += 1;
            set_extent_aside(self.files, &self.request.data_dir, self.request.uid, piece)?;
        }
        Ok(())
    }

    /// Segments that do not follow from what is sound before them.
    fn set_segments_aside(&mut self, bases: &[Offset]) -> io::Result<()> {
        for base in bases {
            let empty = self.open(*base, "log")?.length()? == 0;
            for kind in ["log", "index", "timeindex"] {
                let from = segment_file(&self.request.directory, *base, kind);
                if empty || kind != "log" {
                    let _ = self.files.remove_file(&from);
                    continue;
                }
                let place = self.request.data_dir.join(SET_ASIDE);
                self.files.create_directory(&place)?;
                let name = format!("{}-{base:020}.{kind}", self.request.uid.0);
                self.files.rename(&from, &place.join(name))?;
                self.report.set_aside += 1;
            }
        }
        if !bases.is_empty() {
            self.files.sync_directory(&self.request.directory)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<OpenedLog> {
        let first = self
            .sealed
            .first()
            .map_or(self.base, |segment| segment.base);
        let start = self.request.log_start.max(first);
        if start > self.expected {
            self.restart_at(start)?;
        }
        if self.snapshot > self.expected {
            // Less was found than the checkpoint promised: the snapshot knows of records that are
            // not there.
            tracing::error!(
                directory = %self.request.directory.display(),
                promised = self.request.recovery_point,
                found = self.expected,
                "records that were on disk are lost"
            );
            let mut bases: Vec<Offset> = self.sealed.iter().map(|segment| segment.base).collect();
            bases.push(self.base);
            self.load_producers(&bases, self.expected)?;
        }
        self.epochs.truncate_end(self.expected);
        self.epochs.truncate_start(start);
        let path = segment_file(&self.request.directory, self.base, "log");
        let block_start = self.position / BLOCK * BLOCK;
        let mut tail_block = vec![0; (self.position - block_start) as usize];
        let plain = self.files.open(&path, OpenMode::Plain)?;
        let got = plain.read_at(&mut tail_block, block_start)?;
        if got < tail_block.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(OpenedLog {
            sealed: self.sealed,
            active: OpenedSegment {
                base: self.base,
                size: self.position,
                newest: self.newest,
            },
            active_file: self.files.open(&path, OpenMode::Data)?,
            index: self.index,
            index_bytes: self.index_bytes,
            first_timestamp: self.first_timestamp,
            tail_block,
            start,
            end: self.expected,
            recovery_point: self.request.recovery_point.min(self.expected),
            checkpointed: (self.request.recovery_point, self.request.log_start),
            producers: self.producers,
            epochs: self.epochs,
            report: self.report,
        })
    }

    /// The records before the log's start are deleted, and no others survived.
    fn restart_at(&mut self, start: Offset) -> io::Result<()> {
        let mut bases: Vec<Offset> = self.sealed.drain(..).map(|segment| segment.base).collect();
        bases.push(self.base);
        remove_segments(self.files, &self.request.directory, &bases)?;
        create_segment(self.files, &self.request.directory, start)?;
        self.base = start;
        self.expected = start;
        self.position = 0;
        self.index = GrowingIndex::with_room();
        self.newest = None;
        self.first_timestamp = None;
        // What producers sent between is lost: they may go on with any sequence.
        self.producers = ProducerState::default();
        self.snapshot = 0;
        Ok(())
    }
}
