//! The state of one log on its shard.

use crate::api::{LogId, LogState};
use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::coldseg::ColdState;
use crate::epochs::LeaderEpochs;
use crate::index::{GrowingIndex, SealedIndex};
use crate::io::Io;
use crate::jobs::Snapshot;
use crate::producers::ProducerState;
use crate::room::Rooms;
use crate::transactions::{Aborted, AbortedTransaction};
use precursor_disk::DiskFile;
use precursor_model::{FlushPolicy, LogConfig, LogUid, Offset};
use precursor_shm::ExtentId;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// Writes of one log that may be under way at once.
pub(crate) const WRITES_MAX: usize = 4;

/// Where a segment's index is.
#[derive(Debug)]
pub(crate) enum SegmentIndex {
    /// Nobody shares it until it is complete.
    Growing(Arc<GrowingIndex>),
    /// Complete; the helper is writing it to its files.
    Sealing(Arc<GrowingIndex>),
    Loaded(Arc<SealedIndex>),
    /// In its files.
    Absent,
}

impl SegmentIndex {
    /// Where to begin to look for the batch that holds a relative offset; `None` when absent.
    pub fn position_for(&self, relative: u32) -> Option<u64> {
        let position = match self {
            SegmentIndex::Growing(index) => position_in(index, relative),
            SegmentIndex::Sealing(index) => position_in(index, relative),
            SegmentIndex::Loaded(index) => index.position_for(relative),
            SegmentIndex::Absent => return None,
        };
        Some(u64::from(position))
    }

    /// The last indexed batch that begins at or before `position`.
    pub fn batch_at_or_before(&self, position: u64) -> Option<u64> {
        let in_growing = |index: &GrowingIndex| {
            let after = index.partition_point(|entry| u64::from(entry.position) <= position);
            after.checked_sub(1).map(|at| index.get(at).position)
        };
        let found = match self {
            SegmentIndex::Growing(index) => in_growing(index),
            SegmentIndex::Sealing(index) => in_growing(index),
            SegmentIndex::Loaded(index) => index.batch_at_or_before(position),
            SegmentIndex::Absent => None,
        };
        found.map(u64::from)
    }
}

fn position_in(index: &GrowingIndex, relative: u32) -> u32 {
    let after = index.partition_point(|entry| entry.relative_offset <= relative);
    after.checked_sub(1).map_or(0, |at| index.get(at).position)
}

/// One file of the log. The last one is appended to.
pub(crate) struct Segment {
    pub base: Offset,
    /// Bytes of whole batches.
    pub size: u64,
    pub newest: Option<(i64, Offset)>,
    /// Age counts from here: the first batch's timestamp, or the wall clock.
    pub first_ms: Option<i64>,
    pub file: Option<DiskFile>,
    pub index: SegmentIndex,
    /// A load of file and index is under way.
    pub loading: bool,
    /// The producer state at the segment's end, until the segment is settled.
    pub snapshot: Option<Snapshot>,
    /// Changes when compaction puts another file in the place of the segment's.
    pub generation: u32,
    pub cold: ColdState,
    pub aborted: Aborted,
}

impl Segment {
    /// The aborted transactions whose markers the segment holds; `None` when only its file knows.
    pub fn aborted(&self) -> Option<&[AbortedTransaction]> {
        match &self.index {
            _ if self.aborted.count == 0 => Some(&[]),
            SegmentIndex::Loaded(index) => Some(index.aborted()),
            _ => self.aborted.list(),
        }
    }

    /// Bytes that the segment takes up on disk, or will.
    pub fn stored(&self) -> u64 {
        match self.cold {
            ColdState::Cold(bytes) => bytes,
            ColdState::Plain | ColdState::KeptPlain => self.size,
        }
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("Segment");
        text.field("base", &self.base).field("size", &self.size);
        text.finish_non_exhaustive()
    }
}

/// A piece of the log's recent bytes in the region. The extents of a log are a gapless end of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailExtent {
    pub id: ExtentId,
    pub segment_base: Offset,
    /// In the segment's file; a multiple of the disk's block.
    pub position: u64,
    /// Bytes of the file that are read from and written to here: all that it has, or fewer where a
    /// later one goes on from within it (`blank`).
    pub size: u32,
    pub used: u32,
    /// The first batch that begins at or after this extent: where, and its base offset.
    pub first: Option<(u64, Offset)>,
    /// Was read since the last time that its memory was wanted.
    pub referenced: bool,
    /// Behind what is used nothing lies but zeros, so that it may be read from afar.
    pub wiped: bool,
}

impl TailExtent {
    pub fn end(&self) -> u64 {
        self.position + u64::from(self.size)
    }

    pub fn used_end(&self) -> u64 {
        self.position + u64::from(self.used)
    }
}

/// A write under way, in true bytes of the segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteInFlight {
    pub start: u64,
    pub end: u64,
    /// Where the zeros behind the bytes end.
    pub padded: u64,
    pub done: bool,
    /// It found no space.
    pub refused: bool,
}

/// How far the log is on its way to disk. Segments are written one after another.
pub(crate) struct Writer {
    /// The segment that is written.
    pub base: Offset,
    /// Bytes of it handed to the disk, and bytes that are there.
    pub submitted: u64,
    pub written: u64,
    /// Up to where room was asked for in the segment's file.
    pub reserved: u64,
    /// Up to where the file was overwritten with zeros, for commits to come.
    pub zeroed: u64,
    pub in_flight: VecDeque<WriteInFlight>,
    /// The file system took no more: nothing is written until there is room.
    pub has_no_space: bool,
    /// A segment that is to be written up to a position even if that is no full block. Segments
    /// that are not active are always written whole.
    pub force: (Offset, u64),
}

/// What a sync is to have on disk, and what follows it.
pub(crate) struct SyncTarget {
    pub base: Offset,
    pub position: u64,
    pub offset: Offset,
    /// Then move the recovery point: the producer state at `offset`, entries of the index.
    pub settle: Option<(Snapshot, Arc<GrowingIndex>)>,
}

pub(crate) enum SyncState {
    Idle,
    /// Waits for writes.
    Writing(SyncTarget),
    /// Waits for fdatasync.
    Syncing(SyncTarget),
}

/// One log.
pub(crate) struct Log {
    pub id: LogId,
    pub uid: LogUid,
    pub topic: Arc<str>,
    pub partition: i32,
    pub directory: Arc<PathBuf>,
    /// The log directory that it lies in.
    pub root: u16,
    /// Its log directory has too little room for what producers send.
    pub is_full: bool,
    /// The broker's own: it goes on where producers are refused.
    pub is_internal: bool,
    pub config: LogConfig,
    pub state: LogState,
    pub leader_epoch: i32,
    pub start: Offset,
    pub end: Offset,
    pub durable: Offset,
    /// Where `durable` lies: a segment, and the position in it up to which it is on disk.
    pub durable_base: Offset,
    pub durable_position: u64,
    pub recovery_point: Offset,
    /// Position of the recovery point in the active segment (0 when it lies before).
    pub recovery_position: u64,
    pub segments: VecDeque<Segment>,
    pub extents: VecDeque<TailExtent>,
    /// Leading extents that are on disk.
    pub extents_written: usize,
    /// The last partial block of the active segment when no extent holds it.
    pub parked_block: Vec<u8>,
    pub writer: Writer,
    pub sync: SyncState,
    /// Segments whose end the helper is settling.
    pub settling: u32,
    pub last_sync_us: u64,
    /// Bytes since the active index's last entry.
    pub index_bytes: u64,
    pub producers: ProducerState,
    pub epochs: LeaderEpochs,
    pub epochs_changed: bool,
    /// In the store's list of logs to be written when their time comes.
    pub is_dirty: bool,
    /// In the list of logs that wait for the disk's queue.
    pub is_starved: bool,
    /// How often the list of what can be evicted names the log.
    pub evictable: usize,
    /// Memory made ahead.
    pub rooms: Rooms,
    /// In the store's list of logs to be synced.
    pub is_unsynced: bool,
    /// Extents by which the tail grows now.
    pub extent_bytes: usize,
    /// What the checkpoint files say: recovery point, start, and what is clean.
    pub checkpointed: (Offset, Offset, Offset),
    /// Every record below was met by compaction.
    pub clean_to: Offset,
    /// Compaction of the log failed: by the monotonic clock, when to try again.
    pub not_cleaned_before_us: u64,
    /// Segments with damage that could not be taken out.
    pub unmended: Vec<Offset>,
    /// The last generation that a segment was given.
    pub generation: u32,
    /// Where the last reads from disk ended.
    pub cold_ends: [Offset; crate::cold::COLD_READERS],
}

impl Log {
    pub fn active(&self) -> &Segment {
        self.segments.back().expect("an online log has a segment")
    }

    pub fn active_mut(&mut self) -> &mut Segment {
        self.segments
            .back_mut()
            .expect("an online log has a segment")
    }

    pub fn is_online(&self) -> bool {
        self.state == LogState::Online
    }

    /// The segment that holds `offset`, or would.
    pub fn segment_at(&self, offset: Offset) -> usize {
        let after = self
            .segments
            .partition_point(|segment| segment.base <= offset);
        after.saturating_sub(1)
    }

    pub fn segment_of(&self, base: Offset) -> Option<&Segment> {
        let at = self.segments.partition_point(|segment| segment.base < base);
        self.segments.get(at).filter(|segment| segment.base == base)
    }

    pub fn segment_of_mut(&mut self, base: Offset) -> Option<&mut Segment> {
        let at = self.segments.partition_point(|segment| segment.base < base);
        self.segments
            .get_mut(at)
            .filter(|segment| segment.base == base)
    }

    /// The offset after the last record that may be shown. Under `every-write` that is what is on
    /// disk: a record that a power cut can take back must not have been read by anyone.
    pub fn visible_end(&self) -> Offset {
        match self.config.flush_policy {
            FlushPolicy::EveryWrite => self.durable,
            FlushPolicy::Interval | FlushPolicy::Os => self.end,
        }
    }

    /// The offset below which no transaction is open: where a consumer of what is committed ends.
    pub fn last_stable(&self) -> Offset {
        let visible_end = self.visible_end();
        let stable = self.producers.last_stable(visible_end);
        stable.max(self.start).min(visible_end)
    }

    /// How much of a segment may be shown, in bytes.
    pub fn visible_size(&self, index: usize) -> u64 {
        let segment = &self.segments[index];
        match self.config.flush_policy {
            FlushPolicy::EveryWrite => match segment.base.cmp(&self.durable_base) {
                Ordering::Less => segment.size,
                Ordering::Equal => segment.size.min(self.durable_position),
                Ordering::Greater => 0,
            },
            FlushPolicy::Interval | FlushPolicy::Os => segment.size,
        }
    }

    /// Bytes that a power cut could take back.
    pub fn unsynced_bytes(&self) -> u64 {
        let later = self.segments.iter().rev();
        let later = later.take_while(|segment| segment.base >= self.durable_base);
        let bytes: u64 = later.map(|segment| segment.size).sum();
        bytes.saturating_sub(self.durable_position)
    }

    /// The offset after the segment's last record.
    pub fn segment_end(&self, index: usize) -> Offset {
        self.segments
            .get(index + 1)
            .map_or(self.end, |next| next.base)
    }

    /// Bytes that all segments take up on disk, or will.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::stored).sum()
    }

    /// The extent that holds a position of a segment.
    pub fn extent_at(&self, base: Offset, position: u64) -> Option<usize> {
        // Appends, and what follows them, ask for the end of the tail.
        let newest = self.extents.len().saturating_sub(2)..self.extents.len();
        let holds = |extent: &TailExtent| {
            extent.segment_base == base && (extent.position..extent.end()).contains(&position)
        };
        if let Some(at) = newest.rev().find(|at| holds(&self.extents[*at])) {
            return Some(at);
        }
        let before =
            |extent: &TailExtent| (extent.segment_base, extent.position) <= (base, position);
        let at = self.extents.partition_point(before).checked_sub(1)?;
        let extent = &self.extents[at];
        (extent.segment_base == base && position < extent.end()).then_some(at)
    }

    /// The first position of a segment from which the region holds whole batches; `None` when it
    /// holds none.
    pub fn hot_from(&self, base: Offset) -> Option<u64> {
        let at = self
            .extents
            .partition_point(|extent| extent.segment_base < base);
        let extent = self
            .extents
            .get(at)
            .filter(|extent| extent.segment_base == base)?;
        extent.first.map(|first| first.0)
    }

    /// Reads a batch header that lies in extents, from `at` on.
    pub fn header_in_extents(&self, io: &Io, at: usize, position: u64) -> Option<BatchHeader> {
        let mut bytes = [0; HEADER_LENGTH];
        let mut filled = 0;
        let mut at = at;
        let mut position = position;
        while filled < HEADER_LENGTH {
            let extent = self.extents.get(at)?;
            let offset = (position - extent.position) as usize;
            let source = io
                .pool()
                .bytes(extent.id)
                .get(offset..extent.used as usize)?;
            let count = source.len().min(HEADER_LENGTH - filled);
            if count == 0 {
                return None;
            }
            bytes[filled..filled + count].copy_from_slice(&source[..count]);
            filled += count;
            position += count as u64;
            at += 1;
        }
        Some(BatchHeader::parse(&bytes))
    }

    /// Copies bytes that lie in extents.
    pub fn copy_from_extents(
        &self,
        io: &Io,
        base: Offset,
        position: u64,
        out: &mut [u8],
    ) -> Option<()> {
        let mut at = self.extent_at(base, position)?;
        let mut filled = 0;
        while filled < out.len() {
            let extent = self
                .extents
                .get(at)
                .filter(|extent| extent.segment_base == base)?;
            let offset = (position + filled as u64 - extent.position) as usize;
            let source = io
                .pool()
                .bytes(extent.id)
                .get(offset..extent.used as usize)?;
            let count = source.len().min(out.len() - filled);
            if count == 0 {
                return None;
            }
            out[filled..filled + count].copy_from_slice(&source[..count]);
            filled += count;
            at += 1;
        }
        Some(())
    }
}
