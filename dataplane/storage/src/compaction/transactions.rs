//! What compaction knows of transactions: which batches were aborted, which markers still have one.

use crate::batch::BatchHeader;
use crate::scan::walk_headers;
use crate::transactions::Marker;
use precursor_disk::DiskFile;
use precursor_model::Offset;
use precursor_protocol::records::BatchView;
use std::collections::{HashMap, HashSet};
use std::io;

/// How the transactions of a range of the log ended.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// Of batches below nothing is known: what was aborted there is gone already.
    from: Offset,
    /// Of each producer its markers, ascending: offset, and whether it aborts.
    markers: HashMap<i64, Vec<(Offset, bool)>>,
    /// First offsets of transactions that no marker ended.
    open: HashMap<i64, Offset>,
}

impl Fates {
    /// Knows nothing yet; will be told of the log from an offset on.
    pub fn from(offset: Offset) -> Fates {
        Fates {
            from: offset,
            ..Fates::default()
        }
    }

    /// Reads on: the next segment's file.
    pub fn read_segment(&mut self, file: &DiskFile, size: u64) -> io::Result<()> {
        let mut result = Ok(());
        walk_headers(file, 0, size, |header, position| {
            result = self.note(file, header, position);
            result.is_ok()
        })?;
        result
    }

    fn note(&mut self, file: &DiskFile, header: &BatchHeader, position: u64) -> io::Result<()> {
        if !header.is_transactional() {
            return Ok(());
        }
        if !header.is_control() {
            let first = header.base_offset;
            self.open.entry(header.producer_id).or_insert(first);
            return Ok(());
        }
        if let Some(marker) = Marker::read(file, header, position)? {
            self.open.remove(&header.producer_id);
            let markers = self.markers.entry(header.producer_id).or_default();
            markers.push((header.base_offset, marker.aborts));
        }
        Ok(())
    }

    /// Whether a batch of a transaction was aborted.
    pub fn is_aborted(&self, batch: &BatchView<'_>) -> bool {
        let Some(markers) = self.markers.get(&batch.producer_id()) else {
            return false;
        };
        let next = markers.partition_point(|marker| marker.0 < batch.base_offset());
        batch.is_transactional()
            && batch.base_offset() >= self.from
            && markers.get(next).is_some_and(|marker| marker.1)
    }

    /// The first offset of a transaction that is not ended.
    pub fn first_open(&self) -> Option<Offset> {
        self.open.values().copied().min()
    }
}

/// Producers with a batch of the transaction that their next marker ends: as long as there is one,
/// the marker stays.
#[derive(Debug, Default)]
pub(crate) struct Unended(HashSet<i64>);

impl Unended {
    /// A batch of a producer went by that is no marker.
    pub fn see_batch(&mut self, batch: &BatchView<'_>) {
        if batch.is_transactional() {
            self.0.insert(batch.producer_id());
        }
    }

    /// A control batch goes by: whether nothing in the log needs it any more.
    pub fn see_control(&mut self, batch: &BatchView<'_>) -> bool {
        if batch.record_count() == 0 {
            return true;
        }
        Marker::of(batch).is_some() && !self.0.remove(&batch.producer_id())
    }
}
