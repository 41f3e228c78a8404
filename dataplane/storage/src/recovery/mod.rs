//! Opens logs on the helper thread: creates them, or finds what of each is sound on disk and in the
//! region, cuts the rest, and rebuilds indexes and producer state.
//!
//! Every step may be done again: dying here is like dying in an append.

mod prepare;
mod trusted;
mod walk;

use self::prepare::{first_base, prepare};
use crate::api::LogId;
use crate::epochs::LeaderEpochs;
use crate::index::GrowingIndex;
use crate::layout::{LEADER_EPOCHS, segment_file};
use crate::opens::Opening;
use crate::producers::ProducerState;
use crate::scan::MemoryPiece;
use crate::segment_files::{create_segment, remove_segments, segment_bases};
use crate::transactions::{ABORTED_ENTRY, AbortedTransaction, TRANSACTION_INDEX, write_aborted};
use precursor_disk::{BLOCK, DiskFile, FileSystem, OpenMode, Unsynced};
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
    /// Bytes on disk: fewer where the segment is cold.
    pub stored: u64,
    /// Newest timestamp and the offset that carries it.
    pub newest: Option<(i64, Offset)>,
    pub aborted: Vec<AbortedTransaction>,
}

/// A log as it was found.
pub(crate) struct OpenedLog {
    pub sealed: Vec<OpenedSegment>,
    pub active: OpenedSegment,
    pub active_file: DiskFile,
    /// Of the active segment's aborted transactions, how many its file has.
    pub aborted_on_disk: usize,
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
    /// Bytes of the active segment were let through that may not be on disk.
    pub is_unsynced: bool,
    pub report: RecoveryReport,
}

/// What recovery did, for the log line and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecoveryReport {
    pub batches_validated: u64,
    /// Bytes of the batches validated.
    pub bytes_walked: u64,
    pub bytes_rescued: u64,
    pub bytes_cut: u64,
    pub set_aside: u64,
    /// Places of sealed segments whose bytes made no batch, and those bytes.
    pub quarantined_batches: u64,
    pub quarantined_bytes: u64,
}

/// Work of one job's recoveries, in bytes, after which the rest of its logs wait for their next turn.
const WALKED_BYTES_MAX: u64 = 16 << 20;
/// What a sealed segment counts as: its index is read, and its file looked at.
const SEALED_SEGMENT_BYTES: u64 = 64 << 10;

/// What became of the logs of a job.
pub(crate) struct OpenedLogs {
    pub opened: Vec<(LogId, io::Result<Box<OpenedLog>>)>,
    /// Logs for which there was no time.
    pub rest: Vec<Opening>,
}

/// Creates or recovers logs.
pub(crate) fn open_logs(files: &dyn FileSystem, openings: Vec<Opening>) -> OpenedLogs {
    let prepared = prepare(files, openings.iter().map(|(_, request)| &**request));
    let (mut opened, mut rest) = (Vec::with_capacity(openings.len()), Vec::new());
    let mut walked = 0;
    for ((id, request), prepared) in openings.into_iter().zip(prepared) {
        if walked >= WALKED_BYTES_MAX {
            rest.push((id, request));
            continue;
        }
        let result = prepared.and_then(|()| open_log(files, &request));
        if let Ok(log) = &result {
            walked += log.report.bytes_walked + log.sealed.len() as u64 * SEALED_SEGMENT_BYTES;
        }
        opened.push((id, result.map(Box::new)));
    }
    sync_opened(files, &mut opened);
    OpenedLogs { opened, rest }
}

/// What recovery let through of active segments, and was not known to be on disk, is made durable.
fn sync_opened(files: &dyn FileSystem, opened: &mut [(LogId, io::Result<Box<OpenedLog>>)]) {
    let is_unsynced = |log: &&mut (LogId, io::Result<Box<OpenedLog>>)| {
        log.1.as_ref().is_ok_and(|log| log.is_unsynced)
    };
    let logs: Vec<_> = opened.iter_mut().filter(is_unsynced).collect();
    let unsynced: Vec<_> = logs
        .iter()
        .filter_map(|(_, log)| Some(Unsynced::File(log.as_ref().ok()?.active_file.clone())))
        .collect();
    let results = files.sync_all(&unsynced);
    for ((_, log), result) in logs.into_iter().zip(results) {
        if let Err(error) = result {
            *log = Err(error);
        }
    }
}

/// Recovers a log whose directory is prepared.
fn open_log(files: &dyn FileSystem, request: &OpenRequest) -> io::Result<OpenedLog> {
    crate::compaction::recover(files, &request.directory)?;
    let remembered = request.memory.iter().map(|piece| piece.segment_base);
    crate::coldseg::recover(files, &request.directory, remembered)?;
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
    /// Of the segment under the cursor, by its markers so far; how many of them its file is known to
    /// have.
    aborted: Vec<AbortedTransaction>,
    aborted_on_disk: usize,
    /// The segment under the cursor has bytes that may not be on disk.
    is_unsynced: bool,
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
            aborted: Vec::new(),
            aborted_on_disk: 0,
            is_unsynced: false,
            report: RecoveryReport::default(),
        };
        for window in bases[..=first].windows(2) {
            let segment = recovery.trusted_segment(window[0], window[1])?;
            recovery.sealed.push(segment);
        }
        recovery.skip_to_recovery_point()?;
        recovery.load_producers(bases, request.recovery_point)?;
        recovery.load_aborted(bases)?;
        Ok(recovery)
    }

    fn open(&self, base: Offset, kind: &str) -> io::Result<DiskFile> {
        let path = segment_file(&self.request.directory, base, kind);
        self.files.open(&path, OpenMode::Plain)
    }

    fn open_for_data(&self, base: Offset) -> io::Result<DiskFile> {
        let path = segment_file(&self.request.directory, base, "log");
        self.files.open(&path, OpenMode::Data)
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
        self.settle_aborted()?;
        // What is appended to has no container.
        crate::coldseg::thaw(self.files, &self.request.directory, self.base)?;
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
                stored: self.position,
                newest: self.newest,
                aborted: self.aborted,
            },
            aborted_on_disk: self.aborted_on_disk,
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
            is_unsynced: self.is_unsynced,
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
        self.aborted.clear();
        self.aborted_on_disk = 0;
        Ok(())
    }

    /// The file of the last segment has nothing behind what is known: what a crash left there must
    /// not be taken for true later.
    fn settle_aborted(&mut self) -> io::Result<()> {
        let end = self.expected;
        self.aborted.retain(|entry| entry.last_offset < end);
        self.aborted_on_disk = self.aborted_on_disk.min(self.aborted.len());
        let path = segment_file(&self.request.directory, self.base, TRANSACTION_INDEX);
        let known = (self.aborted_on_disk * ABORTED_ENTRY) as u64;
        let length = match self.files.open(&path, OpenMode::Read) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?.length()?,
        };
        if length == known {
            return Ok(());
        }
        let at = self.aborted_on_disk;
        write_aborted(self.files, &self.request.directory, self.base, at, &[])
    }
}
