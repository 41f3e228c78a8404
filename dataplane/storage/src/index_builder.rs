//! Builds the sparse index of a segment from its batches, in order.

use crate::batch::BatchHeader;
use crate::index::{GrowingIndex, IndexEntry, SealedIndex, relative};
use precursor_model::Offset;

/// Kafka's default for `index.interval.bytes`, for indexes that are made again.
pub(crate) const INDEX_INTERVAL: u32 = 4096;

/// What is gathered of the batches so far.
pub(crate) struct IndexBuilder {
    base: Offset,
    interval: u64,
    entries: GrowingIndex,
    /// Bytes since the last entry.
    since: u64,
    /// The newest timestamp and the last offset of its batch.
    pub newest: Option<(i64, Offset)>,
    /// Timestamp of the first batch.
    pub first_ms: Option<i64>,
}

impl IndexBuilder {
    /// For a segment at `base` with an entry every `interval` bytes.
    pub fn new(base: Offset, interval: u32) -> IndexBuilder {
        IndexBuilder {
            base,
            interval: u64::from(interval),
            entries: GrowingIndex::default(),
            since: 0,
            newest: None,
            first_ms: None,
        }
    }

    /// Takes note of the next batch; false when the index cannot hold its offset or position.
    pub fn note(&mut self, header: &BatchHeader, position: u64) -> bool {
        let last = relative(header.last_offset(), self.base);
        let (Some(last), Ok(at)) = (last, u32::try_from(position)) else {
            return false;
        };
        if self
            .newest
            .is_none_or(|known| header.max_timestamp > known.0)
        {
            self.newest = Some((header.max_timestamp, header.last_offset()));
        }
        self.first_ms.get_or_insert(header.max_timestamp);
        if self.since > self.interval {
            let (timestamp, offset) = self.newest.unwrap_or((-1, self.base));
            let entry = IndexEntry {
                relative_offset: last,
                position: at,
                timestamp,
                timestamp_offset: relative(offset, self.base).unwrap_or(0),
            };
            self.entries.push(entry, &mut Vec::new());
            self.since = 0;
        }
        self.since += header.total_length().unwrap_or(0) as u64;
        true
    }

    /// The index of all batches that were noted.
    pub fn finish(&self) -> SealedIndex {
        let newest = self.newest;
        let newest = newest.and_then(|(t, offset)| Some((t, relative(offset, self.base)?)));
        SealedIndex::from_growing(&self.entries, newest)
    }
}
