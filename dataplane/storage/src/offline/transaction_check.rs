//! Whether a partition's transaction indexes agree with its markers.

use super::finding::Finding;
use crate::batch::BatchHeader;
use crate::layout::segment_file;
use crate::producers::ProducerState;
use crate::transactions::{AbortedTransaction, Marker, TRANSACTION_INDEX, decode_aborted};
use precursor_model::Offset;
use std::path::Path;

/// Follows the transactions of a partition from its first segment on.
#[derive(Default)]
pub(super) struct TransactionCheck {
    producers: ProducerState,
    /// Of the segment: what its markers aborted, and all markers that abort.
    aborted: Vec<AbortedTransaction>,
    aborts: Vec<(Offset, i64)>,
    /// Batches are missing: what is not there cannot be compared.
    has_holes: bool,
}

impl TransactionCheck {
    /// The next sound batch; `bytes`: all of it.
    pub fn batch(&mut self, header: &BatchHeader, bytes: &[u8]) {
        let marker = Marker::of_bytes(header, bytes);
        if marker.is_some_and(|marker| marker.aborts) {
            self.aborts.push((header.base_offset, header.producer_id));
        }
        let aborted = self.producers.record(header, marker, header.max_timestamp);
        self.aborted.extend(aborted);
    }

    pub fn hole(&mut self) {
        self.has_holes = true;
    }

    /// At a segment's end, which lies before `end`. `index`: its file, if there is one. `complete`:
    /// that should tell of the whole segment.
    pub fn finish(
        &mut self,
        directory: &Path,
        (base, end): (Offset, Offset),
        index: Option<&[u8]>,
        complete: bool,
    ) -> Option<Finding> {
        let path = segment_file(directory, base, TRANSACTION_INDEX);
        let aborted = std::mem::take(&mut self.aborted);
        let aborts = std::mem::take(&mut self.aborts);
        // What lies behind the segment's end is cut when the log is opened.
        let until = if complete { end } else { Offset::MAX };
        let Some(entries) = decode_aborted(index.unwrap_or_default(), base, until) else {
            let what = "it is no list of aborted transactions of its segment";
            return Some(Finding::damage("transaction-index", path, what));
        };
        if self.has_holes {
            return None;
        }
        let wrong = entries.iter().filter(|entry| entry.last_offset < end);
        let wrong = wrong.filter_map(|entry| wrong_entry(entry, &aborts, &aborted));
        let lacking = aborted.iter().filter(|known| {
            let last_offset = |entry: &&AbortedTransaction| entry.last_offset == known.last_offset;
            complete && entries.iter().find(last_offset).is_none()
        });
        let lacking = lacking.map(|known| {
            let (producer, first) = (known.producer_id, known.first_offset);
            format!("it lacks the transaction of producer {producer} from offset {first}")
        });
        let mut all = wrong.chain(lacking);
        let first = all.next()?;
        let what = match all.count() {
            0 => first,
            more => format!("{first}; {more} more entries are wrong or missing"),
        };
        Some(Finding::damage("transaction-index", path, what))
    }
}

fn wrong_entry(
    entry: &AbortedTransaction,
    aborts: &[(Offset, i64)],
    aborted: &[AbortedTransaction],
) -> Option<String> {
    let at = entry.last_offset;
    if !aborts.contains(&(at, entry.producer_id)) {
        let producer = entry.producer_id;
        return Some(format!(
            "no marker at offset {at} aborts a transaction of producer {producer}"
        ));
    }
    // What began it may be compacted away, or lie before the log's start.
    let known = aborted.iter().find(|known| known.last_offset == at)?;
    (entry.first_offset > known.first_offset).then(|| {
        let (first, known) = (entry.first_offset, known.first_offset);
        format!("the transaction that ends at offset {at} begins at {known}, not at {first}")
    })
}
