//! What lies past the recovery point: walked batch by batch; what does not hold up is cut or set
//! aside.

use super::{OpenedSegment, Recovery};
use crate::batch::BatchHeader;
use crate::index::{GrowingIndex, IndexEntry, SealedIndex, relative};
use crate::layout::{SET_ASIDE, segment_file};
use crate::quarantine::{Sick, mend};
use crate::scan::{MemoryPiece, SegmentScan};
use crate::segment_files::{create_segment, set_extent_aside, write_index};
use crate::transactions::{Marker, TRANSACTION_INDEX, write_aborted};
use precursor_model::Offset;
use std::io;

impl Recovery<'_> {
    pub(super) fn scan_all(&mut self, bases: &[Offset]) -> io::Result<()> {
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
            if std::mem::take(&mut self.is_unsynced) {
                self.open(self.base, "log")?.sync()?;
            }
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
        let mut file = self.open(self.base, "log")?;
        let memory = request.memory.iter();
        let memory: Vec<&MemoryPiece> = memory
            .filter(|piece| piece.segment_base == self.base)
            .collect();
        let gaps_until = next.filter(|_| memory.is_empty());
        let mut scan = SegmentScan::new(file.clone(), self.open_for_data(self.base)?, memory)?;
        self.take_batches(&mut scan, gaps_until)?;
        if let Some(next) = gaps_until
            && self.expected < next
            && self.mend_proven(next)?
        {
            file = self.open(self.base, "log")?;
            scan = SegmentScan::new(file.clone(), self.open_for_data(self.base)?, Vec::new())?;
            self.take_batches(&mut scan, gaps_until)?;
        }
        scan.write_back()?;
        let rejected = scan.rejected(self.position, self.expected)?;
        let length = file.length()?;
        if length > self.position {
            self.report.bytes_cut += length - self.position;
            crate::coldseg::thaw(self.files, &request.directory, self.base)?;
            file = self.open(self.base, "log")?;
            file.set_length(self.position)?;
        }
        self.is_unsynced |= length != self.position || scan.rescued > 0;
        self.report.bytes_rescued += scan.rescued;
        Ok(rejected)
    }

    fn take_batches(
        &mut self,
        scan: &mut SegmentScan<'_>,
        gaps_until: Option<Offset>,
    ) -> io::Result<()> {
        while let Some(batch) = scan.batch_at(self.position, self.expected, gaps_until)? {
            self.take_batch(&batch.header, batch.marker, batch.end);
        }
        Ok(())
    }

    /// Takes bad bytes out of a segment that ends before it should, if it is known to have been on
    /// disk whole: then it is damaged. What was never known to be there was torn by a crash, and is
    /// cut.
    fn mend_proven(&mut self, next: Offset) -> io::Result<bool> {
        if self.request.recovery_point.max(self.newest_snapshot()?) <= self.expected {
            return Ok(false);
        }
        let sick = Sick {
            data_dir: self.request.data_dir.clone(),
            directory: self.request.directory.clone(),
            base: self.base,
            size: self.open(self.base, "log")?.length()?,
            next_base: Some(next),
            fill_to: Some(next),
            index_interval: self.request.index_interval,
            epochs: None,
        };
        let mended = mend(self.files, &sick)?;
        let bytes = mended.holes.iter().map(|hole| hole.end - hole.position);
        self.report.quarantined_bytes += bytes.sum::<u64>();
        self.report.quarantined_batches += mended.holes.len() as u64;
        Ok(true)
    }

    fn take_batch(&mut self, header: &BatchHeader, marker: Option<Marker>, end: u64) {
        self.report.batches_validated += 1;
        self.report.bytes_walked += end - self.position;
        // Below the recovery point everything is on disk.
        self.is_unsynced |= header.last_offset() >= self.request.recovery_point;
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
            let aborted = self.producers.record(header, marker, header.max_timestamp);
            self.aborted.extend(aborted);
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
        let aborted = std::mem::take(&mut self.aborted);
        write_aborted(self.files, &self.request.directory, self.base, 0, &aborted)?;
        self.aborted_on_disk = 0;
        self.sealed.push(OpenedSegment {
            base: self.base,
            size: self.position,
            stored: self
                .open(self.base, "log")?
                .stored_length()?
                .min(self.position),
            newest,
            aborted,
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
            for kind in ["log", "index", "timeindex", TRANSACTION_INDEX] {
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
}
