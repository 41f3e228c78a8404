//! Opens one log on the helper thread: creates it, or finds what of it is sound on disk and in the
//! region, cuts the rest, and rebuilds indexes and producer state.
//!
//! Every step may be done again: dying here is like dying in an append.

mod trusted;
mod walk;

use crate::epochs::LeaderEpochs;
use crate::index::GrowingIndex;
use crate::layout::{
    LEADER_EPOCHS, PARTITION_METADATA, SET_ASIDE, decode_partition_metadata,
    encode_partition_metadata, segment_file,
};
use crate::producers::ProducerState;
use crate::scan::MemoryPiece;
use crate::segment_files::{create_segment, remove_segments, segment_bases};
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
