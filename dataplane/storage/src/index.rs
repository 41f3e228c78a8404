//! The sparse index of a segment: in memory while it grows, in Kafka's two files once sealed.

use crate::transactions::AbortedTransaction;
use precursor_model::Offset;
use std::sync::Arc;

const CHUNK: usize = 64;
/// Chunks that the list of an index takes at least.
const CHUNKS_MIN: usize = 64;
pub(crate) const OFFSET_ENTRY: usize = 8;
pub(crate) const TIME_ENTRY: usize = 12;

/// A batch that the index knows: its last offset and where it begins; and, of the segment up to
/// that batch, the newest timestamp and the offset that carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// Less the segment's base.
    pub relative_offset: u32,
    pub position: u32,
    pub timestamp: i64,
    pub timestamp_offset: u32,
}

type Chunk = [IndexEntry; CHUNK];

/// The index of the segment that is appended to. Entries live in chunks, so that growing does not
/// move them, and a copy for the helper shares those that are full.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrowingIndex {
    chunks: SpareChunks,
    length: usize,
}

impl GrowingIndex {
    /// An empty index that takes a few thousand entries before its list of chunks grows.
    pub fn with_room() -> GrowingIndex {
        Self::with_chunks(CHUNKS_MIN)
    }

    /// An empty index whose list takes this many chunks.
    pub fn with_chunks(count: usize) -> GrowingIndex {
        GrowingIndex {
            chunks: Vec::with_capacity(count.max(CHUNKS_MIN)),
            length: 0,
        }
    }

    /// How many chunks there are, and how many the list takes before it must be made anew.
    pub fn chunks(&self) -> (usize, usize) {
        (self.chunks.len(), self.chunks.capacity())
    }

    /// Moves to an empty index whose list is longer; returns the shell.
    pub fn move_to(&mut self, mut larger: GrowingIndex) -> GrowingIndex {
        larger.chunks.append(&mut self.chunks);
        larger.length = std::mem::take(&mut self.length);
        std::mem::replace(self, larger)
    }

    /// Appends an entry; takes a chunk from `spare` when one is needed and there. True when memory
    /// had to be made.
    pub fn push(&mut self, entry: IndexEntry, spare: &mut SpareChunks) -> bool {
        let mut made = false;
        if self.length == self.chunks.len() * CHUNK {
            made = spare.is_empty() || self.chunks.len() == self.chunks.capacity();
            self.chunks.push(spare.pop().unwrap_or_else(new_chunk));
        }
        // The last chunk is shared with nobody: copies have one of their own.
        Arc::make_mut(&mut self.chunks[self.length / CHUNK])[self.length % CHUNK] = entry;
        self.length += 1;
        made
    }

    /// Makes `copy`, which is empty, hold the same entries. True when memory had to be made.
    pub fn copy_to(&self, copy: &mut GrowingIndex, spare: &mut SpareChunks) -> bool {
        let full = self.length / CHUNK;
        let mut made = copy.chunks.capacity() < self.chunks.len();
        copy.chunks.extend(self.chunks[..full].iter().cloned());
        copy.length = full * CHUNK;
        for index in copy.length..self.length {
            made |= copy.push(self.get(index), spare);
        }
        made
    }

    /// Gives chunks that nobody shares to `spare`, as many as fit its capacity.
    pub fn give_back(&mut self, spare: &mut SpareChunks) {
        self.length = 0;
        while spare.len() < spare.capacity() {
            let Some(mut chunk) = self.chunks.pop() else {
                return;
            };
            if Arc::get_mut(&mut chunk).is_none() {
                return self.chunks.push(chunk);
            }
            spare.push(chunk);
        }
    }

    pub fn get(&self, index: usize) -> IndexEntry {
        self.chunks[index / CHUNK][index % CHUNK]
    }

    /// Bytes of the `.index` file that these entries make.
    pub fn file_bytes(&self) -> u64 {
        (self.length * OFFSET_ENTRY) as u64
    }

    pub fn iter(&self) -> impl Iterator<Item = IndexEntry> + '_ {
        (0..self.length).map(|index| self.get(index))
    }

    /// How many leading entries satisfy a predicate that holds for a prefix.
    pub fn partition_point(&self, holds: impl Fn(&IndexEntry) -> bool) -> usize {
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low.midpoint(high);
            if holds(&self.chunks[middle / CHUNK][middle % CHUNK]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Chunks ready to be used, made ahead of need.
    pub fn spare_chunks(count: usize) -> SpareChunks {
        (0..count).map(|_| new_chunk()).collect()
    }
}

pub(crate) type SpareChunks = Vec<Arc<Chunk>>;

fn new_chunk() -> Arc<Chunk> {
    Arc::new([IndexEntry::default(); CHUNK])
}

/// The index of a segment that is not appended to any more, as its files hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedIndex {
    /// Last offset of a batch less the base, and the batch's position.
    offsets: Vec<(u32, u32)>,
    /// Newest timestamp so far, and the offset that carries it less the base.
    times: Vec<(i64, u32)>,
    /// What `.txnindex` holds.
    aborted: Vec<AbortedTransaction>,
}

impl SealedIndex {
    /// With the segment's transaction index.
    pub fn with_aborted(mut self, aborted: Vec<AbortedTransaction>) -> SealedIndex {
        self.aborted = aborted;
        self
    }

    pub fn aborted(&self) -> &[AbortedTransaction] {
        &self.aborted
    }

    /// From the entries of a growing index, and the segment's newest timestamp.
    pub(crate) fn from_growing(growing: &GrowingIndex, newest: Option<(i64, u32)>) -> SealedIndex {
        let offsets = growing.iter().map(|e| (e.relative_offset, e.position));
        let mut sealed = SealedIndex {
            offsets: offsets.collect(),
            times: Vec::new(),
            aborted: Vec::new(),
        };
        for entry in growing.iter() {
            sealed.push_time(entry.timestamp, entry.timestamp_offset);
        }
        if let Some((timestamp, offset)) = newest {
            sealed.push_time(timestamp, offset);
        }
        sealed
    }

    /// Kafka's `TimeIndex.maybeAppend`: only newer timestamps at later offsets.
    fn push_time(&mut self, timestamp: i64, offset: u32) {
        let later = |last: &(i64, u32)| last.0 < timestamp && last.1 < offset;
        if timestamp >= 0 && self.times.last().is_none_or(later) {
            self.times.push((timestamp, offset));
        }
    }

    /// The bytes of `.index`.
    pub fn offset_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.offsets.len() * OFFSET_ENTRY);
        for (offset, position) in &self.offsets {
            out.extend(offset.to_be_bytes());
            out.extend(position.to_be_bytes());
        }
        out
    }

    /// The bytes of `.timeindex`.
    pub fn time_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.times.len() * TIME_ENTRY);
        for (timestamp, offset) in &self.times {
            out.extend(timestamp.to_be_bytes());
            out.extend(offset.to_be_bytes());
        }
        out
    }

    /// Reads the two files of a segment of `size` bytes that ends before `end - base`; `None` when
    /// they cannot be right.
    pub fn decode(offsets: &[u8], times: &[u8], size: u64, end: u32) -> Option<SealedIndex> {
        let (offset_entries, rest) = offsets.as_chunks::<OFFSET_ENTRY>();
        let (time_entries, time_rest) = times.as_chunks::<TIME_ENTRY>();
        if !rest.is_empty() || !time_rest.is_empty() {
            return None;
        }
        let index = SealedIndex {
            offsets: offset_entries.iter().map(offset_entry).collect(),
            times: time_entries.iter().map(time_entry).collect(),
            aborted: Vec::new(),
        };
        let ascending = index
            .offsets
            .windows(2)
            .all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1);
        let times_ascending = index
            .times
            .windows(2)
            .all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1);
        let offsets_inside = index
            .offsets
            .iter()
            .all(|e| e.0 < end && u64::from(e.1) < size);
        let times_inside = index.times.iter().all(|e| e.1 < end);
        (ascending && times_ascending && offsets_inside && times_inside).then_some(index)
    }

    /// Where to begin to look for the batch that holds a relative offset.
    pub fn position_for(&self, relative: u32) -> u32 {
        let after = self.offsets.partition_point(|entry| entry.0 <= relative);
        after.checked_sub(1).map_or(0, |at| self.offsets[at].1)
    }

    /// The last indexed batch that begins at or before `position`.
    pub fn batch_at_or_before(&self, position: u64) -> Option<u32> {
        let after = self
            .offsets
            .partition_point(|entry| u64::from(entry.1) <= position);
        after.checked_sub(1).map(|at| self.offsets[at].1)
    }

    /// A relative offset from which a search for `timestamp` may begin.
    pub fn offset_before_time(&self, timestamp: i64) -> u32 {
        let after = self.times.partition_point(|entry| entry.0 < timestamp);
        after.checked_sub(1).map_or(0, |at| self.times[at].1)
    }

    pub fn last_entry(&self) -> Option<(u32, u32)> {
        self.offsets.last().copied()
    }

    pub fn newest(&self) -> Option<(i64, u32)> {
        self.times.last().copied()
    }

    pub fn entries(&self) -> &[(u32, u32)] {
        &self.offsets
    }

    pub fn times(&self) -> &[(i64, u32)] {
        &self.times
    }
}

/// An entry of `.index`: an offset less the base, and a position.
pub(crate) fn offset_entry(entry: &[u8; OFFSET_ENTRY]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *entry;
    (
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    )
}

/// An entry of `.timeindex`: a timestamp, and an offset less the base.
pub(crate) fn time_entry(entry: &[u8; TIME_ENTRY]) -> (i64, u32) {
    let [a, b, c, d, e, f, g, h, offset @ ..] = *entry;
    let timestamp = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    (timestamp, u32::from_be_bytes(offset))
}

/// An offset less its segment's base; `None` when it does not fit the index (Kafka: a signed 32-bit
/// number), which closes a segment.
pub(crate) fn relative(offset: Offset, base: Offset) -> Option<u32> {
    let distance = offset.checked_sub(base)?;
    i32::try_from(distance)
        .ok()
        .and_then(|n| u32::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(entries: u32) -> GrowingIndex {
        let mut index = GrowingIndex::default();
        let mut spare = GrowingIndex::spare_chunks(1);
        for n in 0..entries {
            let entry = IndexEntry {
                relative_offset: n * 10 + 9,
                position: n * 4096 + 100,
                timestamp: i64::from(n / 2),
                timestamp_offset: n * 10 + 9,
            };
            index.push(entry, &mut spare);
        }
        index
    }

    #[test]
    fn a_sealed_index_finds_what_a_growing_one_held() {
        let growing = growing(200);
        let sealed = SealedIndex::from_growing(&growing, Some((500, 1999)));
        assert_eq!(sealed.position_for(8), 0);
        assert_eq!(sealed.position_for(9), 100);
        assert_eq!(sealed.position_for(28), 4096 + 100);
        assert_eq!(sealed.batch_at_or_before(99), None);
        assert_eq!(sealed.batch_at_or_before(4196), Some(4196));
        assert_eq!(sealed.newest(), Some((500, 1999)));
        assert_eq!(sealed.offset_before_time(1), 9);
        assert_eq!(growing.partition_point(|e| e.relative_offset <= 28), 2);
        let (offsets, times) = (sealed.offset_bytes(), sealed.time_bytes());
        let again = SealedIndex::decode(&offsets, &times, 1 << 20, 2000);
        assert_eq!(again, Some(sealed));
    }

    #[test]
    fn files_that_cannot_be_right_are_refused() {
        let sealed = SealedIndex::from_growing(&growing(50), None);
        let (offsets, times) = (sealed.offset_bytes(), sealed.time_bytes());
        let decode = |o: &[u8], t: &[u8], size, end| SealedIndex::decode(o, t, size, end).is_some();
        assert!(decode(&offsets, &times, 1 << 20, 500));
        assert!(!decode(&offsets[1..], &times, 1 << 20, 500));
        assert!(!decode(&offsets, &times[..13], 1 << 20, 500));
        assert!(
            !decode(&offsets, &times, 4096, 500),
            "past the segment's bytes"
        );
        assert!(
            !decode(&offsets, &times, 1 << 20, 100),
            "past the segment's offsets"
        );
        let mut zeroed = offsets.clone();
        zeroed[16..].fill(0);
        assert!(!decode(&zeroed, &times, 1 << 20, 500), "a tail of zeroes");
    }
}
