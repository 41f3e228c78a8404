//! What a log knows of its idempotent producers: epochs, sequences, the last batches of each, and
//! which transactions are open.

use crate::AppendError;
use crate::batch::BatchHeader;
use crate::compaction::LastBatch;
use crate::transactions::{AbortedTransaction, Marker};
use precursor_memory::crc32c;
use precursor_model::Offset;
use std::collections::{HashMap, VecDeque};

/// Batches of a producer that a retry is recognised by (Kafka: `NUM_BATCHES_TO_RETAIN`, which is
/// also the most requests that an idempotent producer may have in flight).
const BATCHES_KEPT: usize = 5;
/// Of the file with everything that is known; 1 did not tell of transactions.
const WHOLE_VERSION: i16 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct KnownBatch {
    base_sequence: i32,
    last_sequence: i32,
    last_offset: Offset,
    offset_delta: i32,
    timestamp: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    /// The last batches, oldest first.
    batches: [KnownBatch; BATCHES_KEPT],
    count: u8,
    /// When it was last heard, by the wall clock.
    seen_ms: i64,
    /// Of the last marker; -1: none.
    coordinator_epoch: i32,
    /// The first offset of its transaction that is open.
    open: Option<Offset>,
}

impl Producer {
    fn new(epoch: i16, seen_ms: i64) -> Producer {
        Producer {
            epoch,
            batches: Default::default(),
            count: 0,
            seen_ms,
            coordinator_epoch: -1,
            open: None,
        }
    }

    /// A new epoch begins its sequences anew; the transaction goes on.
    fn heard(&mut self, epoch: i16, now_ms: i64) {
        self.seen_ms = now_ms;
        if self.epoch != epoch {
            *self = Producer {
                coordinator_epoch: self.coordinator_epoch,
                open: self.open,
                ..Producer::new(epoch, now_ms)
            };
        }
    }

    fn batches(&self) -> &[KnownBatch] {
        &self.batches[..usize::from(self.count)]
    }

    fn remember(&mut self, batch: KnownBatch) {
        if usize::from(self.count) == BATCHES_KEPT {
            self.batches.copy_within(1.., 0);
            self.count -= 1;
        }
        self.batches[usize::from(self.count)] = batch;
        self.count += 1;
    }
}

/// What is to become of a producer's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Append,
    /// It is in the log already.
    Duplicate {
        base_offset: Offset,
        last_offset: Offset,
        timestamp: i64,
    },
}

/// Every producer of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProducerState {
    producers: HashMap<i64, Producer>,
    /// Transactions that are open, or were ended by a marker that may not be shown yet; ascending.
    undecided: VecDeque<Undecided>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Undecided {
    first: Offset,
    /// Where the marker is that ended it.
    ended: Option<Offset>,
}

/// A producer that a log remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    pub producer_id: i64,
    pub epoch: i16,
    /// -1: it has written nothing under this epoch.
    pub last_sequence: i32,
    /// The newest timestamp of its last batch; -1 as above.
    pub last_timestamp: i64,
    /// Of the coordinator of its last transaction that was ended; -1: none was.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction; -1: none is.
    pub transaction_start_offset: Offset,
}

impl ProducerState {
    /// Knows nobody, and takes this many producers before it must grow.
    pub fn with_capacity(producers: usize) -> ProducerState {
        ProducerState {
            producers: HashMap::with_capacity(producers),
            undecided: VecDeque::with_capacity(producers),
        }
    }

    /// How many producers are known, and how many can be before the map must grow.
    pub fn room(&self) -> (usize, usize) {
        (self.producers.len(), self.producers.capacity())
    }

    /// Moves to an empty, larger state; returns the shell.
    pub fn move_to(&mut self, mut larger: ProducerState) -> ProducerState {
        larger.producers.extend(self.producers.drain());
        larger.undecided.extend(self.undecided.drain(..));
        std::mem::replace(self, larger)
    }

    /// Copies everything that is known to an empty list, for the helper to write.
    pub fn copy_to(&self, list: &mut ProducerList) {
        let producers = self.producers.iter();
        list.0
            .extend(producers.map(|(id, producer)| (*id, *producer)));
    }

    /// Every producer that is remembered, by its id.
    pub fn active(&self) -> Vec<ActiveProducer> {
        let producers = self.producers.iter();
        let mut active: Vec<ActiveProducer> = producers
            .map(|(id, producer)| {
                let last = producer.batches().last();
                ActiveProducer {
                    producer_id: *id,
                    epoch: producer.epoch,
                    last_sequence: last.map_or(-1, |batch| batch.last_sequence),
                    last_timestamp: last.map_or(-1, |batch| batch.timestamp),
                    coordinator_epoch: producer.coordinator_epoch,
                    transaction_start_offset: producer.open.unwrap_or(-1),
                }
            })
            .collect();
        active.sort_unstable_by_key(|producer| producer.producer_id);
        active
    }

    /// Judges a batch by Kafka's rules (`ProducerStateEntry.findDuplicateBatch`,
    /// `ProducerAppendInfo.checkProducerEpoch` and `checkSequence`). A producer that the log does
    /// not know may begin at any sequence (KIP-360).
    pub fn check(&self, header: &BatchHeader) -> Result<Verdict, AppendError> {
        let Some(producer) = self.producers.get(&header.producer_id) else {
            return Ok(Verdict::Append);
        };
        if header.producer_epoch < producer.epoch {
            return Err(AppendError::InvalidProducerEpoch);
        }
        if producer.open.is_some() && !header.is_transactional() {
            return Err(AppendError::InvalidTransactionState);
        }
        if header.producer_epoch > producer.epoch {
            return if header.base_sequence == 0 {
                Ok(Verdict::Append)
            } else {
                Err(AppendError::OutOfOrderSequence)
            };
        }
        let last_sequence = header.last_sequence();
        for known in producer.batches() {
            let same = known.base_sequence == header.base_sequence;
            if same && known.last_sequence == last_sequence {
                return Ok(Verdict::Duplicate {
                    base_offset: known.last_offset - i64::from(known.offset_delta),
                    last_offset: known.last_offset,
                    timestamp: known.timestamp,
                });
            }
        }
        let expected = match producer.batches().last() {
            Some(last) => last.last_sequence.checked_add(1).unwrap_or(0),
            None => return Ok(Verdict::Append),
        };
        if header.base_sequence == expected {
            Ok(Verdict::Append)
        } else {
            Err(AppendError::OutOfOrderSequence)
        }
    }

    /// Judges a marker by Kafka's rules (`ProducerAppendInfo.appendEndTxnMarker`).
    pub fn check_marker(&self, header: &BatchHeader, marker: Marker) -> Result<(), AppendError> {
        let Some(producer) = self.producers.get(&header.producer_id) else {
            return Ok(());
        };
        if header.producer_epoch < producer.epoch {
            return Err(AppendError::InvalidProducerEpoch);
        }
        if marker.coordinator_epoch < producer.coordinator_epoch {
            return Err(AppendError::TransactionCoordinatorFenced);
        }
        Ok(())
    }

    /// Takes note of a batch that is in the log, with its offsets assigned; `marker`: what a control
    /// batch says. Gives the transaction that it aborted.
    pub fn record(
        &mut self,
        header: &BatchHeader,
        marker: Option<Marker>,
        now_ms: i64,
    ) -> Option<AbortedTransaction> {
        if !header.has_producer() {
            return None;
        }
        let fresh = || Producer::new(header.producer_epoch, now_ms);
        let producer = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(fresh);
        producer.heard(header.producer_epoch, now_ms);
        if header.is_control() {
            let marker = marker?;
            producer.coordinator_epoch = marker.coordinator_epoch;
            let first = producer.open.take()?;
            return self.end_transaction(header, first, marker.aborts);
        }
        if header.is_transactional() && producer.open.is_none() {
            producer.open = Some(header.base_offset);
            self.undecided.push_back(Undecided {
                first: header.base_offset,
                ended: None,
            });
        }
        producer.remember(KnownBatch {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        None
    }

    fn end_transaction(
        &mut self,
        header: &BatchHeader,
        first: Offset,
        aborts: bool,
    ) -> Option<AbortedTransaction> {
        let last_offset = header.base_offset;
        let at = self.undecided.partition_point(|other| other.first < first);
        if let Some(known) = self.undecided.get_mut(at) {
            known.ended = Some(last_offset);
        }
        let open = self.undecided.iter().find(|other| other.ended.is_none());
        aborts.then(|| AbortedTransaction {
            producer_id: header.producer_id,
            first_offset: first,
            last_offset,
            last_stable_offset: open.map_or(last_offset + 1, |open| open.first),
        })
    }

    /// The first offset of a transaction that is not ended below the high watermark, or that itself.
    pub fn last_stable(&self, high_watermark: Offset) -> Offset {
        let is_undecided = |one: &&Undecided| one.ended.is_none_or(|end| end >= high_watermark);
        let first = self.undecided.iter().find(is_undecided);
        first.map_or(high_watermark, |one| one.first.min(high_watermark))
    }

    /// Forgets transactions that were ended below the high watermark.
    pub fn forget_decided(&mut self, high_watermark: Offset) {
        if !self.undecided.is_empty() {
            self.undecided
                .retain(|one| one.ended.is_none_or(|end| end >= high_watermark));
        }
    }

    /// How many transactions are open, or were until a moment ago.
    pub fn undecided(&self) -> usize {
        self.undecided.len()
    }

    /// The producers that a snapshot has, whose transactions are listed by their beginnings.
    fn of(producers: HashMap<i64, Producer>) -> ProducerState {
        let mut open: Vec<Offset> = producers.values().filter_map(|one| one.open).collect();
        open.sort_unstable();
        let undecided = |first| Undecided { first, ended: None };
        ProducerState {
            producers,
            undecided: open.into_iter().map(undecided).collect(),
        }
    }

    /// Producers that are known.
    pub fn len(&self) -> usize {
        self.producers.len()
    }

    /// The last that is known of each producer; compaction keeps its batch.
    pub fn last_batches(&self) -> impl Iterator<Item = (i64, LastBatch)> {
        let last = |producer: &Producer| LastBatch {
            epoch: producer.epoch,
            last_offset: producer.batches().last().map(|batch| batch.last_offset),
        };
        let producers = self.producers.iter();
        producers.map(move |(id, producer)| (*id, last(producer)))
    }

    /// Forgets producers that were silent for `expiration_ms`, unless a transaction of theirs is open.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, producer| {
            producer.open.is_some() || now_ms.saturating_sub(producer.seen_ms) < expiration_ms
        });
    }

    /// Reads [`ProducerList::encode_snapshot`]'s format; `None` when it is not sound.
    pub fn decode_snapshot(bytes: &[u8]) -> Option<ProducerState> {
        let mut reader = unframed(1, bytes)?;
        let count = i32::from_be_bytes(reader.take()?);
        let mut producers = HashMap::new();
        for _ in 0..count {
            let id = i64::from_be_bytes(reader.take()?);
            let epoch = i16::from_be_bytes(reader.take()?);
            let last_sequence = i32::from_be_bytes(reader.take()?);
            let last_offset = i64::from_be_bytes(reader.take()?);
            let offset_delta = i32::from_be_bytes(reader.take()?);
            let timestamp = i64::from_be_bytes(reader.take()?);
            let coordinator_epoch = i32::from_be_bytes(reader.take()?);
            let open = i64::from_be_bytes(reader.take()?);
            let mut producer = Producer {
                coordinator_epoch,
                open: Some(open).filter(|open| *open >= 0),
                ..Producer::new(epoch, timestamp)
            };
            if last_sequence >= 0 {
                // Sequences go up with offsets, and wrap.
                let base = i64::from(last_sequence) - i64::from(offset_delta);
                producer.remember(KnownBatch {
                    base_sequence: (base & i64::from(i32::MAX)) as i32,
                    last_sequence,
                    last_offset,
                    offset_delta,
                    timestamp,
                });
            }
            producers.insert(id, producer);
        }
        reader.is_empty().then(|| ProducerState::of(producers))
    }

    /// Reads [`ProducerList::encode_whole`]'s format, also from before it told of transactions;
    /// `None` when it is not sound.
    pub fn decode_whole(bytes: &[u8]) -> Option<ProducerState> {
        let (mut reader, has_transactions) = match unframed(WHOLE_VERSION, bytes) {
            Some(reader) => (reader, true),
            None => (unframed(1, bytes)?, false),
        };
        let count = i32::from_be_bytes(reader.take()?);
        let mut producers = HashMap::new();
        for _ in 0..count {
            let id = i64::from_be_bytes(reader.take()?);
            let epoch = i16::from_be_bytes(reader.take()?);
            let mut producer = Producer::new(epoch, i64::from_be_bytes(reader.take()?));
            if has_transactions {
                producer.coordinator_epoch = i32::from_be_bytes(reader.take()?);
                let open = i64::from_be_bytes(reader.take()?);
                producer.open = Some(open).filter(|open| *open >= 0);
            }
            let [batches] = reader.take()?;
            for _ in 0..batches.min(BATCHES_KEPT as u8) {
                producer.remember(KnownBatch {
                    base_sequence: i32::from_be_bytes(reader.take()?),
                    last_sequence: i32::from_be_bytes(reader.take()?),
                    last_offset: i64::from_be_bytes(reader.take()?),
                    offset_delta: i32::from_be_bytes(reader.take()?),
                    timestamp: i64::from_be_bytes(reader.take()?),
                });
            }
            producers.insert(id, producer);
        }
        reader.is_empty().then(|| ProducerState::of(producers))
    }
}

/// A log's producers at some offset, in no order, to be written by the helper.
#[derive(Debug, Default)]
pub(crate) struct ProducerList(Vec<(i64, Producer)>);

impl ProducerList {
    /// Takes this many producers before it must grow.
    pub fn with_capacity(producers: usize) -> ProducerList {
        ProducerList(Vec::with_capacity(producers))
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// By id, as both formats have them.
    pub fn sort(&mut self) {
        self.0.sort_unstable_by_key(|(id, _)| *id);
    }

    /// Kafka's producer snapshot, version 1: the last batch of each producer.
    pub fn encode_snapshot(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(4 + 46 * self.0.len());
        body.extend((self.0.len() as i32).to_be_bytes());
        for (id, producer) in &self.0 {
            let none = KnownBatch {
                last_sequence: -1,
                last_offset: -1,
                timestamp: producer.seen_ms,
                ..KnownBatch::default()
            };
            let last = producer.batches().last().copied().unwrap_or(none);
            body.extend(id.to_be_bytes());
            body.extend(producer.epoch.to_be_bytes());
            body.extend(last.last_sequence.to_be_bytes());
            body.extend(last.last_offset.to_be_bytes());
            body.extend(last.offset_delta.to_be_bytes());
            body.extend(last.timestamp.to_be_bytes());
            body.extend(producer.coordinator_epoch.to_be_bytes());
            body.extend(producer.open.unwrap_or(-1).to_be_bytes());
        }
        framed(1, &body)
    }

    /// All that is known, in a format of ours: Kafka's holds one batch of each producer, and a
    /// client may retry any of five after a restart.
    pub fn encode_whole(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend((self.0.len() as i32).to_be_bytes());
        for (id, producer) in &self.0 {
            body.extend(id.to_be_bytes());
            body.extend(producer.epoch.to_be_bytes());
            body.extend(producer.seen_ms.to_be_bytes());
            body.extend(producer.coordinator_epoch.to_be_bytes());
            body.extend(producer.open.unwrap_or(-1).to_be_bytes());
            body.push(producer.count);
            for batch in producer.batches() {
                body.extend(batch.base_sequence.to_be_bytes());
                body.extend(batch.last_sequence.to_be_bytes());
                body.extend(batch.last_offset.to_be_bytes());
                body.extend(batch.offset_delta.to_be_bytes());
                body.extend(batch.timestamp.to_be_bytes());
            }
        }
        framed(WHOLE_VERSION, &body)
    }
}

/// Version, CRC-32C of the rest, the rest.
fn framed(version: i16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(6 + body.len());
    out.extend(version.to_be_bytes());
    out.extend(crc32c(body).to_be_bytes());
    out.extend(body);
    out
}

fn unframed(version: i16, bytes: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader(bytes);
    let found = i16::from_be_bytes(reader.take()?);
    let crc = u32::from_be_bytes(reader.take()?);
    (found == version && crc32c(reader.0) == crc).then_some(reader)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::producer_batch;

    fn header(sequence: i32, epoch: i16, offset: Offset) -> BatchHeader {
        let bytes = producer_batch(10, 100, 0, 5, epoch, sequence);
        let mut header = BatchHeader::parse_prefix(&bytes).unwrap();
        header.base_offset = offset;
        header
    }

    #[test]
    fn sequences_are_kept_by_kafkas_rules() {
        let mut state = ProducerState::default();
        // Unknown producer: any sequence (KIP-360).
        assert_eq!(state.check(&header(70, 0, 0)), Ok(Verdict::Append));
        for n in 0..7 {
            let next = header(n * 10, 0, i64::from(n) * 100);
            assert_eq!(state.check(&next), Ok(Verdict::Append), "batch {n}");
            state.record(&next, None, 1);
        }
        let duplicate = Verdict::Duplicate {
            base_offset: 200,
            last_offset: 209,
            timestamp: 2_000,
        };
        assert_eq!(state.check(&header(20, 0, 0)), Ok(duplicate));
        // The sixth from the end is forgotten.
        let too_old = state.check(&header(10, 0, 0));
        assert_eq!(too_old, Err(AppendError::OutOfOrderSequence));
        let gap = state.check(&header(80, 0, 0));
        assert_eq!(gap, Err(AppendError::OutOfOrderSequence));
        // A new epoch begins at 0 and fences the old one.
        let ahead = state.check(&header(70, 1, 0));
        assert_eq!(ahead, Err(AppendError::OutOfOrderSequence));
        assert_eq!(state.check(&header(0, 1, 0)), Ok(Verdict::Append));
        state.record(&header(0, 1, 900), None, 1);
        let fenced = state.check(&header(70, 0, 0));
        assert_eq!(fenced, Err(AppendError::InvalidProducerEpoch));
    }

    #[test]
    fn snapshots_come_back_and_damage_is_seen() {
        let mut state = ProducerState::default();
        for n in 0..7 {
            state.record(&header(n * 10, 3, i64::from(n) * 100), None, 9);
        }
        let mut list = ProducerList::with_capacity(1);
        state.copy_to(&mut list);
        let whole = list.encode_whole();
        assert_eq!(ProducerState::decode_whole(&whole), Some(state.clone()));
        let snapshot = list.encode_snapshot();
        // version, crc, count, one entry of 46 bytes
        assert_eq!(snapshot.len(), 2 + 4 + 4 + 46);
        let last_only = ProducerState::decode_snapshot(&snapshot).unwrap();
        assert!(matches!(
            last_only.check(&header(60, 3, 0)),
            Ok(Verdict::Duplicate {
                base_offset: 600,
                ..
            })
        ));
        assert_eq!(last_only.check(&header(70, 3, 0)), Ok(Verdict::Append));
        for at in 0..snapshot.len() {
            let mut damaged = snapshot.clone();
            damaged[at] ^= 0x10;
            assert_eq!(ProducerState::decode_snapshot(&damaged), None, "byte {at}");
            assert_eq!(ProducerState::decode_snapshot(&snapshot[..at]), None);
        }
    }

    #[test]
    fn silent_producers_are_forgotten() {
        let mut state = ProducerState::default();
        state.record(&header(0, 0, 0), None, 100);
        state.expire(199, 100);
        assert_eq!(state.producers.len(), 1);
        state.expire(200, 100);
        assert_eq!(state.producers.len(), 0);
    }

    fn in_transaction(producer: i64, offset: Offset) -> BatchHeader {
        let mut header = header(0, 0, offset);
        header.producer_id = producer;
        header.attributes = 0x10;
        header
    }

    fn end(state: &mut ProducerState, producer: i64, at: Offset, aborts: bool) -> Option<Offset> {
        let mut header = in_transaction(producer, at);
        header.attributes = 0x30;
        header.last_offset_delta = 0;
        let marker = Marker {
            aborts,
            coordinator_epoch: 4,
        };
        let aborted = state.record(&header, Some(marker), 1)?;
        let told = (aborted.producer_id, aborted.last_offset);
        assert_eq!((told, aborts), ((producer, at), true));
        Some(aborted.last_stable_offset)
    }

    #[test]
    fn transactions_hold_the_last_stable_offset_until_their_end_is_shown() {
        let mut state = ProducerState::default();
        state.record(&in_transaction(1, 100), None, 1);
        state.record(&in_transaction(2, 200), None, 1);
        state.record(&in_transaction(1, 300), None, 1);
        assert_eq!(state.last_stable(1_000), 100);
        assert_eq!(state.last_stable(50), 50);
        let plain = header(10, 0, 400);
        let mixed = BatchHeader {
            producer_id: 1,
            ..plain
        };
        let refused = Err(AppendError::InvalidTransactionState);
        assert_eq!(state.check(&mixed), refused);
        assert_eq!(end(&mut state, 1, 400, true), Some(200));
        assert_eq!(state.last_stable(400), 100, "its marker is not shown yet");
        assert_eq!(state.last_stable(401), 200);
        state.forget_decided(401);
        assert_eq!(end(&mut state, 2, 500, true), Some(501));
        assert_eq!(state.last_stable(1_000), 1_000);
        // Nothing is open: a marker ends nothing.
        assert_eq!(end(&mut state, 2, 600, true), None);
        state.record(&in_transaction(2, 700), None, 1);
        assert_eq!(end(&mut state, 2, 800, false), None, "committed");
        let mut late = in_transaction(2, 900);
        late.attributes = 0x30;
        let old = Marker {
            aborts: true,
            coordinator_epoch: 3,
        };
        let fenced = state.check_marker(&late, old);
        assert_eq!(fenced, Err(AppendError::TransactionCoordinatorFenced));
    }

    #[test]
    fn snapshots_tell_of_open_transactions() {
        let mut state = ProducerState::default();
        state.record(&in_transaction(1, 100), None, 1);
        end(&mut state, 1, 200, true);
        state.forget_decided(201);
        state.record(&in_transaction(2, 300), None, 1);
        state.record(&in_transaction(1, 400), None, 1);
        let mut list = ProducerList::with_capacity(2);
        state.copy_to(&mut list);
        list.sort();
        let whole = ProducerState::decode_whole(&list.encode_whole());
        assert_eq!(whole, Some(state.clone()));
        let kafkas = ProducerState::decode_snapshot(&list.encode_snapshot()).unwrap();
        assert_eq!(kafkas.last_stable(1_000), 300);
        let told = kafkas.active();
        assert_eq!(told[0].coordinator_epoch, 4);
        assert_eq!(told[1].transaction_start_offset, 300);
        // What is open is not forgotten.
        state.expire(1_000_000, 1);
        assert_eq!(state.last_stable(1_000), 300);
    }
}
