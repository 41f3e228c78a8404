//! Which records of a batch stay.

use crate::compaction::key_map::KeyMap;
use crate::compaction::transactions::{Fates, Unended};
use precursor_compression::{compress, decompress};
use precursor_model::Offset;
use precursor_protocol::records::{
    BatchRewriter, BatchView, Codec, Record, RecordError, Records, write_emptied,
};
use std::collections::HashMap;
use std::io::{self, ErrorKind};

/// The last that is known of an active producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastBatch {
    pub epoch: i16,
    /// Of its last batch of data; `None` when only a marker is known.
    pub last_offset: Option<Offset>,
}

/// What does not change while a log is cleaned.
#[derive(Debug)]
pub(crate) struct Rules {
    pub now_ms: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    pub producers: HashMap<i64, LastBatch>,
}

/// What becomes of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept<'a> {
    Unchanged,
    /// These bytes take its place.
    Changed(&'a [u8]),
    Nothing,
}

/// Judges batch after batch of a log (Kafka: `Cleaner.cleanInto`, `MemoryRecords.filterTo`).
pub(crate) struct Filter {
    pub rules: Rules,
    pub map: KeyMap,
    /// The last offset that `map` knows of; records behind it stay.
    pub latest: Offset,
    pub fates: Fates,
    pub unended: Unended,
    pub records_dropped: u64,
    rewriter: BatchRewriter,
    stays: Vec<bool>,
    out: Vec<u8>,
}

impl Filter {
    pub fn new(rules: Rules, map: KeyMap, latest: Offset, fates: Fates) -> Filter {
        Filter {
            rules,
            map,
            latest,
            fates,
            unended: Unended::default(),
            records_dropped: 0,
            rewriter: BatchRewriter::default(),
            stays: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Judges a batch; `ends_segment`: it stays, at least without its records.
    ///
    /// # Errors
    /// `InvalidData`: its records cannot be read.
    pub fn judge(&mut self, batch: &BatchView<'_>, ends_segment: bool) -> io::Result<Kept<'_>> {
        // A batch whose transaction was aborted, or a marker that ends nothing any more.
        let discardable = if batch.is_control() {
            self.unended.see_control(batch)
        } else {
            self.unended.see_batch(batch);
            self.fates.is_aborted(batch)
        };
        let horizon = batch.delete_horizon_ms();
        let past_horizon = horizon.is_some_and(|horizon| horizon <= self.rules.now_ms);
        let discards = discardable && (!batch.is_control() || past_horizon);
        let count = batch.record_count().max(0) as usize;
        if batch.is_control() && !discards && count > 0 {
            return self.keep_marker(batch, discardable);
        }
        let plain = match batch.codec() {
            _ if discards || count == 0 => Vec::new(),
            Codec::None => Vec::new(),
            codec => decompress(codec, batch.record_bytes())?,
        };
        let bytes = match batch.codec() {
            Codec::None => batch.record_bytes(),
            _ => &plain,
        };
        let (kept, tombstones) = match discards {
            true => (0, false),
            false => self.choose(batch, bytes, past_horizon)?,
        };
        self.records_dropped += (count - kept) as u64;
        if kept == 0 {
            return Ok(self.empty(batch, ends_segment));
        }
        // Tombstones that are met for the first time are given their time to live.
        let marks = tombstones && horizon.is_none();
        if kept == count && !marks {
            return Ok(Kept::Unchanged);
        }
        let horizon = if marks { self.new_horizon() } else { horizon };
        self.rewrite(batch, bytes, horizon)
    }

    /// Decides on each record; counts those that stay, and says whether a tombstone is among them.
    fn choose(
        &mut self,
        batch: &BatchView<'_>,
        bytes: &[u8],
        past_horizon: bool,
    ) -> io::Result<(usize, bool)> {
        self.stays.clear();
        let mut tombstones = false;
        for record in Records::new(bytes, batch.record_count()) {
            let record = record.map_err(unreadable)?;
            let stays = self.record_stays(batch, &record, past_horizon);
            tombstones |= stays && record.value.is_none();
            self.stays.push(stays);
        }
        if self.stays.len() != batch.record_count().max(0) as usize {
            return Err(unreadable(RecordError::UnexpectedEnd));
        }
        Ok((
            self.stays.iter().filter(|stays| **stays).count(),
            tombstones,
        ))
    }

    fn record_stays(&self, batch: &BatchView<'_>, record: &Record<'_>, past_horizon: bool) -> bool {
        let offset = batch.base_offset() + i64::from(record.offset_delta);
        if offset > self.latest {
            return true;
        }
        // Records without a key are from before the topic was compacted.
        let Some(key) = record.key else {
            return false;
        };
        let is_latest = self.map.last_offset(key).is_none_or(|last| offset >= last);
        is_latest && (record.value.is_some() || !past_horizon)
    }

    /// A marker stays until nothing of its transaction is left, and then for as long as a tombstone.
    fn keep_marker(&mut self, batch: &BatchView<'_>, unneeded: bool) -> io::Result<Kept<'_>> {
        if !unneeded || batch.delete_horizon_ms().is_some() {
            return Ok(Kept::Unchanged);
        }
        self.stays.clear();
        self.stays
            .resize(batch.record_count().max(0) as usize, true);
        let horizon = self.new_horizon();
        self.rewrite(batch, batch.record_bytes(), horizon)
    }

    fn new_horizon(&self) -> Option<i64> {
        let rules = &self.rules;
        Some(rules.now_ms.saturating_add(rules.delete_retention_ms))
    }

    fn rewrite(
        &mut self,
        batch: &BatchView<'_>,
        bytes: &[u8],
        horizon: Option<i64>,
    ) -> io::Result<Kept<'_>> {
        self.rewriter.begin(horizon);
        let records = Records::new(bytes, batch.record_count());
        for (record, stays) in records.zip(&self.stays) {
            if *stays {
                self.rewriter.append(batch, &record.map_err(unreadable)?);
            }
        }
        self.out.clear();
        self.rewriter
            .finish(batch, &mut self.out, |codec, plain, out| {
                match codec {
                    Codec::None => out.extend_from_slice(plain),
                    codec => out.extend(compress(codec, plain)?),
                }
                Ok(())
            })?;
        Ok(Kept::Changed(&self.out))
    }

    /// No record of the batch stays. Its header does where it is all that tells something: how far
    /// the segment reaches, or the last sequence of a producer that is active.
    fn empty(&mut self, batch: &BatchView<'_>, ends_segment: bool) -> Kept<'_> {
        let is_last = |last: &LastBatch| match last.last_offset {
            Some(offset) => batch.last_offset() == offset,
            None => batch.is_control() && batch.producer_epoch() == last.epoch,
        };
        let producer = self.rules.producers.get(&batch.producer_id());
        let needed = batch.has_producer_id() && producer.is_some_and(is_last);
        if !needed && !ends_segment {
            return Kept::Nothing;
        }
        if batch.record_count() == 0 {
            return Kept::Unchanged;
        }
        self.out.clear();
        write_emptied(batch, &mut self.out);
        Kept::Changed(&self.out)
    }
}

fn unreadable(error: RecordError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
