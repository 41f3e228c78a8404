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

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::records::BatchBuilder;

    const NOW: i64 = 1_000_000;
    const RETENTION: i64 = 500;

    type Pairs<'a> = &'a [(&'a str, Option<&'a str>)];

    fn at(base: Offset, builder: &BatchBuilder) -> Vec<u8> {
        let mut out = Vec::new();
        builder.build(&mut out);
        out[..8].copy_from_slice(&base.to_be_bytes());
        out
    }

    fn data(base: Offset, producer: Option<i64>, records: Pairs<'_>) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        if let Some(id) = producer {
            builder.set_producer(id, 0, base as i32);
            builder.set_transactional(true);
        }
        for (key, value) in records {
            builder.append(7, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
        }
        at(base, &builder)
    }

    fn marker(base: Offset, producer: i64, commits: bool) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        builder.set_producer(producer, 0, -1);
        builder.set_transactional(true);
        builder.set_control(true);
        let key = [0, 0, 0, u8::from(commits)];
        builder.append(7, Some(&key), Some(&[0; 6]), &[]);
        at(base, &builder)
    }

    fn filter(now_ms: i64, keys: &[(&str, Offset)], fates: Fates) -> Filter {
        let mut map = KeyMap::new(1 << 16, 100);
        for (key, offset) in keys {
            map.put(key.as_bytes(), *offset);
        }
        let rules = Rules {
            now_ms,
            delete_retention_ms: RETENTION,
            producers: HashMap::from([(
                9,
                LastBatch {
                    epoch: 0,
                    last_offset: Some(31),
                },
            )]),
        };
        Filter::new(rules, map, 99, fates)
    }

    /// What stays of a log, filtered once.
    fn clean(log: &[Vec<u8>], filter: &mut Filter) -> Vec<Vec<u8>> {
        let mut kept = Vec::new();
        for bytes in log {
            let batch = BatchView::parse(bytes).unwrap();
            match filter.judge(&batch, false).unwrap() {
                Kept::Unchanged => kept.push(bytes.clone()),
                Kept::Changed(bytes) => kept.push(bytes.to_vec()),
                Kept::Nothing => {}
            }
        }
        kept
    }

    fn fates(from: Offset, log: &[Vec<u8>]) -> Fates {
        use precursor_disk::sim::SimFileSystem;
        use precursor_disk::{FileSystem, OpenMode};
        let files = SimFileSystem::new();
        let place = std::path::Path::new("/t");
        files.create_directory(place).unwrap();
        let file = files.open(&place.join("log"), OpenMode::Create).unwrap();
        let bytes = log.concat();
        file.write_at(&bytes, 0).unwrap();
        let mut fates = Fates::from(from);
        fates.read_segment(&file, bytes.len() as u64).unwrap();
        fates
    }

    #[test]
    fn only_the_latest_stays_and_what_is_behind_the_table_is_not_judged() {
        let log = [
            data(0, None, &[("a", Some("1")), ("b", Some("1"))]),
            data(2, None, &[("a", Some("2"))]),
            data(100, None, &[("a", Some("3"))]),
        ];
        let mut filter = filter(NOW, &[("a", 2), ("b", 1)], Fates::default());
        let kept = clean(&log, &mut filter);
        assert_eq!(kept[1..], log[1..]);
        let first = BatchView::parse(&kept[0]).unwrap();
        assert_eq!((first.base_offset(), first.last_offset()), (0, 1));
        assert_eq!((first.record_count(), filter.records_dropped), (1, 1));
    }

    #[test]
    fn tombstones_are_given_a_horizon_once_and_go_behind_it() {
        let log = [data(0, None, &[("a", None), ("b", Some("1"))])];
        let keys = [("a", 0), ("b", 1)];
        let marked = clean(&log, &mut filter(NOW, &keys, Fates::default()));
        let batch = BatchView::parse(&marked[0]).unwrap();
        assert_eq!(batch.delete_horizon_ms(), Some(NOW + RETENTION));
        assert_eq!(batch.max_timestamp(), 7);
        let times = batch.records().map(|r| batch.timestamp_of(&r.unwrap()));
        assert_eq!(times.collect::<Vec<_>>(), [7, 7]);
        let before = NOW + RETENTION - 1;
        let same = clean(&marked, &mut filter(before, &keys, Fates::default()));
        assert_eq!(same, marked);
        let gone = clean(&marked, &mut filter(before + 1, &keys, Fates::default()));
        let batch = BatchView::parse(&gone[0]).unwrap();
        assert_eq!(batch.record_count(), 1);
        assert_eq!(batch.delete_horizon_ms(), Some(NOW + RETENTION));
    }

    #[test]
    fn aborted_records_go_at_once_and_their_marker_in_its_time() {
        let log = [
            data(0, Some(1), &[("a", Some("aborted"))]),
            data(1, Some(2), &[("b", Some("committed"))]),
            marker(2, 1, false),
            marker(3, 2, true),
            data(4, Some(1), &[("c", Some("open"))]),
        ];
        let known = fates(0, &log);
        assert_eq!(known.first_open(), Some(4));
        let keys = [("b", 1)];
        // The first time the markers end something.
        let once = clean(&log, &mut filter(NOW, &keys, known));
        assert_eq!(once, log[1..]);
        // Then the abort marker does not, and is given a horizon.
        let twice = clean(&once, &mut filter(NOW, &keys, Fates::default()));
        let markers = BatchView::parse(&twice[1]).unwrap();
        assert_eq!(markers.delete_horizon_ms(), Some(NOW + RETENTION));
        assert!(markers.is_control() && markers.crc_is_right());
        assert_eq!((&twice[0], &twice[2..]), (&once[0], &once[2..]));
        let late = NOW + RETENTION;
        let thrice = clean(&twice, &mut filter(late, &keys, Fates::default()));
        assert_eq!(thrice, [&twice[..1], &twice[2..]].concat());
    }

    #[test]
    fn an_outcome_is_not_taken_for_that_of_an_earlier_transaction() {
        // What ended the first one was not read: it lies below.
        let log = [data(10, Some(1), &[("a", None)]), marker(11, 1, false)];
        let earlier = data(0, Some(1), &[("a", Some("committed"))]);
        let earlier = BatchView::parse(&earlier).unwrap();
        assert!(!fates(10, &log).is_aborted(&earlier));
        let within = BatchView::parse(&log[0]).unwrap();
        assert!(fates(10, &log).is_aborted(&within));
    }

    #[test]
    fn the_last_batch_of_a_producer_stays_as_a_header() {
        let log = [
            data(30, Some(9), &[("a", Some("1")), ("a", Some("2"))]),
            data(32, None, &[("a", Some("3"))]),
        ];
        let mut filter = filter(NOW, &[("a", 32)], Fates::default());
        let kept = clean(&log, &mut filter);
        let header = BatchView::parse(&kept[0]).unwrap();
        assert_eq!((header.record_count(), header.bytes().len()), (0, 61));
        assert_eq!((header.base_offset(), header.last_offset()), (30, 31));
        assert_eq!(header.last_sequence(), 31);
        assert!(header.crc_is_right());
        assert_eq!(kept[1], log[1]);
    }
}
