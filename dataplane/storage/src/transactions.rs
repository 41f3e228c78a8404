//! Transactions of a log: markers, what was aborted, and the file that says so (`.txnindex`).
//!
//! A transaction index has an entry for each marker of its segment that aborted something, in the
//! order of the markers and in Kafka's format (`AbortedTxn`). Unlike the other indexes nothing in
//! the segment tells that an entry is missing, so the file is synced before the recovery point moves
//! past what it is about.

use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::layout::segment_file;
use crate::producers::ProducerState;
use crate::scan::walk_headers;
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_memory::crc32c;
use precursor_model::Offset;
use precursor_protocol::records::{BatchView, LOG_OVERHEAD, MAGIC};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// The kind of the file, and what an entry takes in it.
pub(crate) const TRANSACTION_INDEX: &str = "txnindex";
pub(crate) const ABORTED_ENTRY: usize = 34;
/// The version of an entry (Kafka: `AbortedTxn.CURRENT_VERSION`).
const VERSION: i16 = 0;

/// A marker's type in the key of its record (Kafka: `ControlRecordType`).
const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// Longest control batch that is looked into.
const MARKER_BYTES_MAX: usize = 4096;
/// A marker's batch: the header, and a record of 17 bytes.
const MARKER_BYTES: usize = HEADER_LENGTH + 17;
/// `isTransactional` and `isControlBatch` in the attributes of a batch.
const MARKER_ATTRIBUTES: i16 = 0x30;

/// A transaction that was aborted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    /// Of its first batch.
    pub first_offset: Offset,
    /// Of the marker that aborted it.
    pub last_offset: Offset,
    /// When it was aborted, every transaction below this offset was ended.
    pub last_stable_offset: Offset,
}

impl AbortedTransaction {
    fn encode(&self) -> [u8; ABORTED_ENTRY] {
        let mut out = [0; ABORTED_ENTRY];
        out[..2].copy_from_slice(&VERSION.to_be_bytes());
        let fields = [
            self.producer_id,
            self.first_offset,
            self.last_offset,
            self.last_stable_offset,
        ];
        for (place, field) in out[2..].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// An entry of `.txnindex`; `None` when it is of another version.
    pub(crate) fn decode(entry: &[u8; ABORTED_ENTRY]) -> Option<AbortedTransaction> {
        let [high, low, fields @ ..] = entry;
        let (fields, _) = fields.as_chunks::<8>();
        let field = |at: usize| i64::from_be_bytes(fields[at]);
        (i16::from_be_bytes([*high, *low]) == VERSION).then(|| AbortedTransaction {
            producer_id: field(0),
            first_offset: field(1),
            last_offset: field(2),
            last_stable_offset: field(3),
        })
    }
}

/// Reads the transaction index of a segment whose offsets are `base..end`; `None` when it cannot be
/// right.
pub(crate) fn decode_aborted(
    bytes: &[u8],
    base: Offset,
    end: Offset,
) -> Option<Vec<AbortedTransaction>> {
    let (entries, rest) = bytes.as_chunks::<ABORTED_ENTRY>();
    let entries = entries.iter().map(AbortedTransaction::decode);
    let entries: Vec<AbortedTransaction> = entries.collect::<Option<_>>()?;
    let ascending = entries
        .windows(2)
        .all(|pair| pair[0].last_offset < pair[1].last_offset);
    let is_possible = |entry: &AbortedTransaction| {
        (base..end).contains(&entry.last_offset)
            && (0..entry.last_offset).contains(&entry.first_offset)
            && (0..=entry.last_offset + 1).contains(&entry.last_stable_offset)
            && entry.producer_id >= 0
    };
    let sound = rest.is_empty() && ascending && entries.iter().all(is_possible);
    sound.then_some(entries)
}

/// Reads a segment's transaction index: absent is empty. The inner `None`: it cannot be right.
pub(crate) fn read_aborted(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    end: Offset,
) -> io::Result<Option<Vec<AbortedTransaction>>> {
    match files.read(&segment_file(directory, base, TRANSACTION_INDEX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(Vec::new())),
        Err(error) => Err(error),
        Ok(bytes) => Ok(decode_aborted(&bytes, base, end)),
    }
}

/// Writes these entries behind the first `at` of a segment's transaction index, durably; what stood
/// there is gone. An index without entries has no file.
pub(crate) fn write_aborted(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    at: usize,
    entries: &[AbortedTransaction],
) -> io::Result<()> {
    let path = segment_file(directory, base, TRANSACTION_INDEX);
    if at == 0 && entries.is_empty() {
        return match files.remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => files.sync_directory(directory),
        };
    }
    match at {
        // Whole or not at all: an empty file would say that nothing was aborted.
        0 => files.replace(&path, &encode_aborted(entries)),
        _ => write_entries(files, &path, at, entries),
    }
}

fn encode_aborted(entries: &[AbortedTransaction]) -> Vec<u8> {
    entries
        .iter()
        .flat_map(AbortedTransaction::encode)
        .collect()
}

/// As [`write_aborted`], to a file whose name is made durable by somebody else.
pub(crate) fn write_entries(
    files: &dyn FileSystem,
    path: &Path,
    at: usize,
    entries: &[AbortedTransaction],
) -> io::Result<()> {
    let position = (at * ABORTED_ENTRY) as u64;
    let bytes = encode_aborted(entries);
    let file = files.open(path, OpenMode::Create)?;
    file.set_length(position)?;
    file.write_at(&bytes, position)?;
    file.sync()
}

/// The end of a transaction, as its marker in the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub aborts: bool,
    /// -1: it says none.
    pub coordinator_epoch: i32,
}

impl Marker {
    /// Of a batch; `None` for other control batches, and for emptied ones.
    pub fn of(batch: &BatchView<'_>) -> Option<Marker> {
        let record = batch.records().next()?.ok()?;
        let aborts = match record.key? {
            [_, _, high, low, ..] => match i16::from_be_bytes([*high, *low]) {
                ABORT => true,
                COMMIT => false,
                _ => return None,
            },
            _ => return None,
        };
        let coordinator_epoch = match record.value {
            Some([_, _, a, b, c, d, ..]) => i32::from_be_bytes([*a, *b, *c, *d]),
            _ => -1,
        };
        Some(Marker {
            aborts,
            coordinator_epoch,
        })
    }

    /// Of the bytes of a batch whose header is known; `None` also when it is no control batch.
    pub fn of_bytes(header: &BatchHeader, batch: &[u8]) -> Option<Marker> {
        if !header.is_control() || !header.is_transactional() {
            return None;
        }
        Marker::of(&BatchView::parse(batch).ok()?)
    }

    /// Of a batch in a file.
    pub fn read(
        file: &DiskFile,
        header: &BatchHeader,
        position: u64,
    ) -> io::Result<Option<Marker>> {
        if !header.is_control() || !header.is_transactional() {
            return Ok(None);
        }
        let length = header.total_length().unwrap_or(0);
        let mut bytes = vec![0; length.clamp(HEADER_LENGTH, MARKER_BYTES_MAX)];
        file.read_at(&mut bytes, position)?;
        Ok(Marker::of_bytes(header, &bytes))
    }

    /// The batch that a producer's transaction is ended by (Kafka: `EndTransactionMarker`, version 0).
    pub fn batch(&self, producer: (i64, i16), now_ms: i64) -> [u8; MARKER_BYTES] {
        let mut out = [0; MARKER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(8, &((MARKER_BYTES - LOG_OVERHEAD) as i32).to_be_bytes());
        put(12, &(-1i32).to_be_bytes());
        put(16, &[MAGIC as u8]);
        put(21, &MARKER_ATTRIBUTES.to_be_bytes());
        put(27, &now_ms.to_be_bytes());
        put(35, &now_ms.to_be_bytes());
        put(43, &producer.0.to_be_bytes());
        put(51, &producer.1.to_be_bytes());
        put(53, &(-1i32).to_be_bytes());
        put(57, &1i32.to_be_bytes());
        // The record: its length (16, zigzag), attributes, both deltas; key and value with their
        // lengths; no headers.
        let kind = if self.aborts { ABORT } else { COMMIT };
        put(61, &[32, 0, 0, 0, 8, 0, 0]);
        put(68, &kind.to_be_bytes());
        put(70, &[12, 0, 0]);
        put(73, &self.coordinator_epoch.to_be_bytes());
        let crc = crc32c(&out[21..]);
        out[17..21].copy_from_slice(&crc.to_be_bytes());
        out
    }
}

/// What a segment's file would say of aborted transactions, for each of a log's segments from the
/// first on. Of a transaction that began before them what is left of it counts.
pub(crate) fn aborted_by_segment(
    files: &dyn FileSystem,
    directory: &Path,
    bases: &[Offset],
) -> io::Result<Vec<Vec<AbortedTransaction>>> {
    let mut producers = ProducerState::default();
    let of_segment = |base: &Offset| {
        let file = files.open(&segment_file(directory, *base, "log"), OpenMode::Plain)?;
        let mut aborted = Vec::new();
        let mut failed = Ok(());
        walk_headers(&file, 0, file.length()?, |header, position| {
            match Marker::read(&file, header, position) {
                Ok(marker) => {
                    aborted.extend(producers.record(header, marker, header.max_timestamp));
                }
                Err(error) => failed = Err(error),
            }
            failed.is_ok()
        })?;
        failed.map(|()| aborted)
    };
    bases.iter().map(of_segment).collect()
}

/// The aborted transactions whose markers lie in a segment.
#[derive(Debug, Default)]
pub(crate) struct Aborted {
    pub count: usize,
    /// The least of their first offsets.
    first: Offset,
    /// Those themselves, until the segment is settled: then its index has them.
    list: Option<Arc<Vec<AbortedTransaction>>>,
    /// Of the list, how many the file holds.
    settled: usize,
}

/// What the helper is to write of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct AbortedWrite {
    /// Entries before, which the file has.
    pub at: usize,
    /// Entries of the list that are not to be written.
    pub skip: usize,
    pub list: Arc<Vec<AbortedTransaction>>,
}

impl Aborted {
    /// Of a segment that is appended to; the file holds the first `settled`.
    pub fn growing(list: Arc<Vec<AbortedTransaction>>, settled: usize) -> Aborted {
        Aborted {
            settled,
            ..Aborted::of(&list).with(list.clone())
        }
    }

    /// Of a segment that is not appended to.
    pub fn of(entries: &[AbortedTransaction]) -> Aborted {
        let firsts = entries.iter().map(|entry| entry.first_offset);
        Aborted {
            count: entries.len(),
            first: firsts.min().unwrap_or(Offset::MAX),
            list: None,
            settled: 0,
        }
    }

    fn with(self, list: Arc<Vec<AbortedTransaction>>) -> Aborted {
        Aborted {
            list: Some(list),
            ..self
        }
    }

    /// Whether a transaction that began before an offset may be among them.
    pub fn concern(&self, to: Offset) -> bool {
        self.count > 0 && self.first < to
    }

    pub fn list(&self) -> Option<&[AbortedTransaction]> {
        self.list.as_ref().map(|list| &list[..])
    }

    /// How many the list has, and can have before it must grow.
    pub fn room(&self) -> (usize, usize) {
        let list = self.list.as_ref();
        list.map_or((0, usize::MAX), |list| (list.len(), list.capacity()))
    }

    /// Takes note of one more. True when memory had to be made.
    pub fn push(&mut self, entry: AbortedTransaction) -> bool {
        let list = self.list.get_or_insert_default();
        let made = list.len() == list.capacity() || Arc::get_mut(list).is_none();
        Arc::make_mut(list).push(entry);
        self.first = match self.count {
            0 => entry.first_offset,
            _ => self.first.min(entry.first_offset),
        };
        self.count += 1;
        made
    }

    /// Moves to an empty list that is longer; returns the shell.
    pub fn move_to(&mut self, mut longer: Vec<AbortedTransaction>) -> Vec<AbortedTransaction> {
        match self.list.as_mut().and_then(Arc::get_mut) {
            Some(list) if longer.capacity() > list.len() => {
                longer.append(list);
                std::mem::replace(list, longer)
            }
            _ => longer,
        }
    }

    /// How many the file lacks.
    pub fn unsettled(&self) -> usize {
        self.list
            .as_ref()
            .map_or(0, |list| list.len() - self.settled)
    }

    /// What the file lacks, copied to an empty list.
    pub fn copy_to(&self, mut copy: Arc<Vec<AbortedTransaction>>) -> AbortedWrite {
        if let (Some(list), Some(copy)) = (&self.list, Arc::get_mut(&mut copy)) {
            copy.clear();
            copy.extend_from_slice(&list[self.settled..]);
        }
        AbortedWrite {
            at: self.settled,
            skip: 0,
            list: copy,
        }
    }

    /// What the file lacks of a list that does not grow any more.
    pub fn share(&self) -> AbortedWrite {
        AbortedWrite {
            at: self.settled,
            skip: self.settled,
            list: self.list.clone().unwrap_or_default(),
        }
    }

    /// The file holds what was aborted below an offset.
    pub fn settle(&mut self, offset: Offset) {
        if let Some(list) = &self.list {
            let below = list.partition_point(|entry| entry.last_offset < offset);
            self.settled = self.settled.max(below);
        }
    }

    /// The index has them from now on.
    pub fn take_list(&mut self) -> Option<Arc<Vec<AbortedTransaction>>> {
        self.list.take()
    }
}

impl AbortedWrite {
    pub fn entries(&self) -> &[AbortedTransaction] {
        self.list.get(self.skip..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(producer: i64, first: Offset, last: Offset) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: producer,
            first_offset: first,
            last_offset: last,
            last_stable_offset: last + 1,
        }
    }

    #[test]
    fn entries_are_kafkas_and_what_cannot_be_right_is_refused() {
        let one = AbortedTransaction {
            producer_id: 7,
            first_offset: 0x0102,
            last_offset: 0x0304,
            last_stable_offset: 0x0203,
        };
        let bytes = one.encode();
        let expected = [
            &[0, 0][..],
            &[0, 0, 0, 0, 0, 0, 0, 7],
            &[0, 0, 0, 0, 0, 0, 1, 2],
            &[0, 0, 0, 0, 0, 0, 3, 4],
            &[0, 0, 0, 0, 0, 0, 2, 3],
        ];
        assert_eq!(bytes[..], expected.concat());
        assert_eq!(decode_aborted(&bytes, 0, 0x305), Some(vec![one]));
        assert_eq!(decode_aborted(&bytes, 0, 0x304), None, "past the segment");
        assert_eq!(decode_aborted(&bytes, 0x305, 0x400), None, "before it");
        assert_eq!(decode_aborted(&bytes[1..], 0, 0x400), None, "a torn entry");
        let version = [&[0, 1][..], &bytes[2..]].concat();
        assert_eq!(decode_aborted(&version, 0, 0x400), None);
        let twice = [bytes, bytes].concat();
        assert_eq!(decode_aborted(&twice, 0, 0x400), None, "markers go up");
        let backwards = entry(1, 9, 9).encode();
        assert_eq!(decode_aborted(&backwards, 0, 10), None);
        assert_eq!(decode_aborted(&[0; ABORTED_ENTRY], 0, 10), None, "zeroes");
    }

    #[test]
    fn markers_are_kafkas_batches() {
        for aborts in [true, false] {
            let marker = Marker {
                aborts,
                coordinator_epoch: 77,
            };
            let bytes = marker.batch((5, 3), 1_000);
            let view = BatchView::parse(&bytes).unwrap();
            assert!(view.crc_is_right() && view.is_control() && view.is_transactional());
            assert_eq!((view.producer_id(), view.producer_epoch()), (5, 3));
            assert_eq!((view.base_sequence(), view.record_count()), (-1, 1));
            let records: Vec<_> = view.records().collect();
            let record = records[0].as_ref().unwrap();
            assert_eq!(records.len(), 1);
            assert_eq!(record.key, Some(&[0, 0, 0, u8::from(!aborts)][..]));
            assert_eq!(record.value, Some(&[0, 0, 0, 0, 0, 77][..]));
            assert_eq!(Marker::of(&view), Some(marker));
        }
    }

    #[test]
    fn a_list_knows_what_its_file_lacks() {
        let mut aborted = Aborted::growing(Arc::default(), 0);
        assert!(!aborted.concern(Offset::MAX));
        aborted.push(entry(1, 5, 9));
        aborted.push(entry(2, 3, 11));
        assert!(aborted.concern(4) && !aborted.concern(3));
        aborted.settle(10);
        let write = aborted.copy_to(Arc::default());
        assert_eq!((write.at, write.entries()), (1, &[entry(2, 3, 11)][..]));
        let write = aborted.share();
        assert_eq!((write.at, write.entries()), (1, &[entry(2, 3, 11)][..]));
        aborted.settle(12);
        assert_eq!(aborted.unsettled(), 0);
    }
}
