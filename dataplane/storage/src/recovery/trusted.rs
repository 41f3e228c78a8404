//! What lies below the recovery point: taken over where it fits what it points to.

use super::{OpenedSegment, Recovery};
use crate::batch::BatchHeader;
use crate::find_time::rebuild_index;
use crate::index::{IndexEntry, SealedIndex, relative};
use crate::layout::base_of;
use crate::producers::ProducerState;
use crate::scan::{SegmentScan, walk_headers};
use crate::transactions::{
    AbortedTransaction, Marker, aborted_by_segment, read_aborted, write_aborted,
};
use precursor_model::Offset;
use std::io;

impl Recovery<'_> {
    /// A segment below the recovery point: its newest timestamp is the time index's last entry.
    pub(super) fn trusted_segment(&self, base: Offset, next: Offset) -> io::Result<OpenedSegment> {
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
            stored: file.stored_length()?,
            newest: newest.map(|(timestamp, offset)| (timestamp, base + i64::from(offset))),
            aborted: Vec::new(),
        })
    }

    /// Takes over the index below the recovery point, if it fits the bytes that it points to.
    pub(super) fn skip_to_recovery_point(&mut self) -> io::Result<()> {
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
        let mut scan = SegmentScan::new(file.clone(), file.clone(), Vec::new())?;
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
        }
        // Also that of the batches before the cursor that have no entry of their own.
        let known = index.times().partition_point(|time| time.1 <= last);
        let newest = known.checked_sub(1).map(|at| index.times()[at]);
        self.newest = newest.map(|(timestamp, offset)| (timestamp, base + i64::from(offset)));
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
    pub(super) fn load_producers(&mut self, bases: &[Offset], newest: Offset) -> io::Result<()> {
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

    /// The largest offset that a sound snapshot is of: it was written when all below was on disk.
    pub(super) fn newest_snapshot(&self) -> io::Result<Offset> {
        let mut newest = 0;
        for name in self.files.list(&self.request.directory)? {
            let Some(offset) = base_of(&name, "producers").filter(|offset| *offset > newest) else {
                continue;
            };
            let bytes = self.read(offset, "producers")?;
            if ProducerState::decode_whole(&bytes).is_some() {
                newest = offset;
            }
        }
        Ok(newest)
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
            let mut failed = Ok(());
            walk_headers(&file, 0, end, |header, position| {
                if header.base_offset >= until {
                    return false;
                }
                if header.base_offset >= from {
                    match Marker::read(&file, header, position) {
                        // What was aborted stands in the segments' files.
                        Ok(marker) => drop(producers.record(header, marker, header.max_timestamp)),
                        Err(error) => failed = Err(error),
                    }
                }
                failed.is_ok()
            })?;
            failed?;
        }
        Ok(())
    }

    /// What the transaction indexes say of all below the recovery point: each was synced before that
    /// moved. One that cannot be right is made again.
    pub(super) fn load_aborted(&mut self, bases: &[Offset]) -> io::Result<()> {
        let mut made: Option<Vec<Vec<AbortedTransaction>>> = None;
        let directory = &self.request.directory;
        // Of what comes behind, the markers will be met again.
        let known_to = self.producers_from.min(self.request.recovery_point);
        for at in 0..=self.sealed.len() {
            let base = bases[at];
            let is_last = at == self.sealed.len();
            let end = match is_last {
                true => Offset::MAX,
                false => bases[at + 1],
            };
            let aborted = match read_aborted(self.files, directory, base, end)? {
                Some(aborted) => aborted,
                None => {
                    let all = match made.take() {
                        Some(all) => all,
                        None => {
                            aborted_by_segment(self.files, directory, &bases[..=self.sealed.len()])?
                        }
                    };
                    let aborted = all[at].clone();
                    made = Some(all);
                    write_aborted(self.files, directory, base, 0, &aborted)?;
                    aborted
                }
            };
            if is_last {
                let aborted = aborted.into_iter();
                self.aborted = aborted
                    .take_while(|one| one.last_offset < known_to)
                    .collect();
                self.aborted_on_disk = self.aborted.len();
            } else {
                self.sealed[at].aborted = aborted;
            }
        }
        Ok(())
    }
}
