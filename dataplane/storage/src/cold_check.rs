//! What is read of sealed segments is checked before it is shown; a segment with bad bytes is mended
//! while its readers wait.
//!
//! The base offset of a batch is not under its checksum: a wrong one is noticed here where offsets
//! do not go up, and by `precursor storage verify` everywhere.

use crate::api::{LogId, ReadError};
use crate::batch::BatchHeader;
use crate::cold::{ColdRead, Progress};
use crate::coldseg::ColdState;
use crate::io::Io;
use crate::jobs::Job;
use crate::log::{Log, Segment, SegmentIndex};
use crate::quarantine::{Mended, Sick};
use crate::room::Garbage;
use crate::store::Store;
use precursor_model::{ErrorCode, Offset};
use std::io::{self, ErrorKind};

/// Where the checksum's coverage begins in a batch (Kafka: `DefaultRecordBatch.ATTRIBUTES_OFFSET`).
const CRC_COVERS_FROM: u64 = 21;

impl ColdRead<'_> {
    /// Of the batches from `start` to `end`, all of which are loaded: where the first that is not
    /// sound begins, and the offset behind the last that is.
    pub(crate) fn sound_until(&self, at: usize, start: u64, end: u64) -> (u64, Offset) {
        let segment = &self.log.segments[at];
        let key = (segment.base, segment.generation);
        let segment_end = self.log.segment_end(at);
        let mut least = segment.base;
        let mut position = start;
        while position < end {
            let Some(header) = self.header(key, position) else {
                return (position, least);
            };
            let Some(length) = header.total_length() else {
                return (position, least);
            };
            let goes_up = header.base_offset >= least && header.last_offset() < segment_end;
            if !goes_up || !self.checksum_holds(key, &header, position, length) {
                return (position, least);
            }
            least = header.last_offset() + 1;
            position += length as u64;
        }
        (position, least)
    }

    fn checksum_holds(
        &self,
        key: (Offset, u32),
        header: &BatchHeader,
        position: u64,
        length: usize,
    ) -> bool {
        // Everything behind the checksum itself.
        let from = position + CRC_COVERS_FROM;
        let crc = self
            .cache
            .checksum(self.io, self.log.id, key, from..position + length as u64);
        crc == Some(header.crc)
    }

    /// A sealed segment has bytes that make no batch: has it mended, and waits for that. What is
    /// still appended to is answered as Kafka answers it.
    pub(crate) fn take_out(&mut self, at: usize) -> Progress {
        let corrupt = Progress::Done(Err(ReadError::NotOnline(ErrorCode::CorruptMessage)));
        let end = self.log.segment_end(at);
        let is_last = at + 1 == self.log.segments.len();
        let segment = &mut self.log.segments[at];
        let is_sealed = matches!(
            segment.index,
            SegmentIndex::Loaded(_) | SegmentIndex::Absent
        );
        if is_last
            || !is_sealed
            || segment.base >= self.log.writer.base
            || self.log.unmended.contains(&segment.base)
        {
            return corrupt;
        }
        if !std::mem::replace(&mut segment.loading, true) {
            let Some(data_dir) = self.log.directory.parent() else {
                return corrupt;
            };
            let sick = Sick {
                data_dir: data_dir.to_owned(),
                directory: self.log.directory.to_path_buf(),
                base: segment.base,
                size: segment.size,
                next_base: Some(end),
                fill_to: Some(end),
                index_interval: self.log.config.index_interval_bytes,
                epochs: Some(self.log.epochs.clone()),
            };
            self.io.job(
                self.log.root,
                Job::Mend {
                    log: self.log.id,
                    generation: segment.generation,
                    sick: Box::new(sick),
                },
            );
        }
        Progress::Waiting
    }
}

impl Store {
    /// The helper has written a segment anew without its bad bytes.
    pub(crate) fn on_mended(
        &mut self,
        id: LogId,
        (base, generation): (Offset, u32),
        result: io::Result<Mended>,
    ) {
        if let Ok(mended) = &result {
            let holes = mended.holes.iter();
            let bytes = holes.clone().map(|hole| hole.end - hole.position);
            self.io.stats.quarantined_batches += holes.len() as u64;
            self.io.stats.quarantined_bytes += bytes.sum::<u64>();
        }
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        let segment = log.segment_of_mut(base);
        let Some(segment) = segment.filter(|segment| segment.generation == generation) else {
            return;
        };
        segment.loading = false;
        match result {
            Ok(mended) => {
                if mended.size > segment.size && mended.holes.is_empty() {
                    tracing::error!(
                        topic = %log.topic,
                        partition = log.partition,
                        segment = base,
                        "the end of a segment is missing: an empty batch covers its offsets"
                    );
                } else if mended.holes.is_empty() {
                    // Its index had misled, which is made anew; a second time it is not that.
                    log.unmended.push(base);
                }
                log.replace_mended(io, &mended);
            }
            // Retention was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(
                    topic = %log.topic,
                    partition = log.partition,
                    segment = base,
                    %error,
                    "a segment with damaged batches cannot be mended"
                );
                log.unmended.push(base);
            }
        }
    }
}

impl Log {
    /// From now on the segment is the one that the helper wrote.
    fn replace_mended(&mut self, io: &mut Io, mended: &Mended) {
        self.generation += 1;
        let generation = self.generation;
        let Some(segment) = self.segment_of_mut(mended.base) else {
            return;
        };
        let aborted = std::mem::take(&mut segment.aborted);
        let fresh = Segment {
            base: mended.base,
            size: mended.size,
            newest: mended.newest,
            first_ms: mended.first_ms,
            file: None,
            index: SegmentIndex::Absent,
            loading: false,
            snapshot: None,
            generation,
            cold: ColdState::Plain,
            aborted,
        };
        let old = std::mem::replace(segment, fresh);
        io.close(self.root, Garbage::Segment(old));
        if self.durable_base == mended.base {
            self.durable_position = mended.size;
        }
        self.drop_extents_through(io, mended.base);
    }
}
