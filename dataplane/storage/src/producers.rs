//! What a log knows of its idempotent producers: epochs, sequences, the last batches of each.

use crate::AppendError;
use crate::batch::BatchHeader;
use crate::compaction::LastBatch;
use precursor_memory::crc32c;
use precursor_model::Offset;
use std::collections::HashMap;

/// Batches of a producer that a retry is recognised by (Kafka: `NUM_BATCHES_TO_RETAIN`, which is
/// also the most requests that an idempotent producer may have in flight).
const BATCHES_KEPT: usize = 5;

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
}

impl Producer {
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
}

impl ProducerState {
    /// Knows nobody, and takes this many producers before it must grow.
    pub fn with_capacity(producers: usize) -> ProducerState {
        ProducerState {
            producers: HashMap::with_capacity(producers),
        }
    }

    /// How many producers are known, and how many can be before the map must grow.
    pub fn room(&self) -> (usize, usize) {
        (self.producers.len(), self.producers.capacity())
    }

    /// Moves to an empty, larger state; returns the shell.
    pub fn move_to(&mut self, mut larger: ProducerState) -> ProducerState {
        larger.producers.extend(self.producers.drain());
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

    /// Takes note of a batch that is in the log, with its offsets assigned.
    pub fn record(&mut self, header: &BatchHeader, now_ms: i64) {
        if !header.has_producer() {
            return;
        }
        let fresh = Producer {
            epoch: header.producer_epoch,
            batches: Default::default(),
            count: 0,
            seen_ms: now_ms,
        };
        let producer = self.producers.entry(header.producer_id).or_insert(fresh);
        if producer.epoch != header.producer_epoch {
            *producer = fresh;
        }
        producer.seen_ms = now_ms;
        producer.remember(KnownBatch {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
    }

    /// The last that is known of each producer; compaction keeps its batch.
    pub fn last_batches(&self) -> HashMap<i64, LastBatch> {
        let last = |producer: &Producer| LastBatch {
            epoch: producer.epoch,
            last_offset: producer.batches().last().map(|batch| batch.last_offset),
        };
        let producers = self.producers.iter();
        producers
            .map(|(id, producer)| (*id, last(producer)))
            .collect()
    }

    /// Forgets producers that were silent for `expiration_ms`.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers
            .retain(|_, producer| now_ms.saturating_sub(producer.seen_ms) < expiration_ms);
    }

    /// Reads [`ProducerList::encode_snapshot`]'s format; `None` when it is not sound.
    pub fn decode_snapshot(bytes: &[u8]) -> Option<ProducerState> {
        let mut reader = unframed(1, bytes)?;
        let count = i32::from_be_bytes(reader.take()?);
        let mut state = ProducerState::default();
        for _ in 0..count {
            let id = i64::from_be_bytes(reader.take()?);
            let epoch = i16::from_be_bytes(reader.take()?);
            let last_sequence = i32::from_be_bytes(reader.take()?);
            let last_offset = i64::from_be_bytes(reader.take()?);
            let offset_delta = i32::from_be_bytes(reader.take()?);
            let timestamp = i64::from_be_bytes(reader.take()?);
            let _: [u8; 12] = reader.take()?;
            let mut producer = Producer {
                epoch,
                batches: Default::default(),
                count: 0,
                seen_ms: timestamp,
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
            state.producers.insert(id, producer);
        }
        reader.is_empty().then_some(state)
    }

    /// Reads [`ProducerList::encode_whole`]'s format; `None` when it is not sound.
    pub fn decode_whole(bytes: &[u8]) -> Option<ProducerState> {
        let mut reader = unframed(1, bytes)?;
        let count = i32::from_be_bytes(reader.take()?);
        let mut state = ProducerState::default();
        for _ in 0..count {
            let id = i64::from_be_bytes(reader.take()?);
            let mut producer = Producer {
                epoch: i16::from_be_bytes(reader.take()?),
                batches: Default::default(),
                count: 0,
                seen_ms: i64::from_be_bytes(reader.take()?),
            };
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
            state.producers.insert(id, producer);
        }
        reader.is_empty().then_some(state)
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
            let last = producer.batches().last().copied().unwrap_or_default();
            body.extend(id.to_be_bytes());
            body.extend(producer.epoch.to_be_bytes());
            body.extend(last.last_sequence.to_be_bytes());
            body.extend(last.last_offset.to_be_bytes());
            body.extend(last.offset_delta.to_be_bytes());
            body.extend(last.timestamp.to_be_bytes());
            // No transactions: no coordinator epoch, no first offset.
            body.extend((-1i32).to_be_bytes());
            body.extend((-1i64).to_be_bytes());
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
            body.push(producer.count);
            for batch in producer.batches() {
                body.extend(batch.base_sequence.to_be_bytes());
                body.extend(batch.last_sequence.to_be_bytes());
                body.extend(batch.last_offset.to_be_bytes());
                body.extend(batch.offset_delta.to_be_bytes());
                body.extend(batch.timestamp.to_be_bytes());
            }
        }
        framed(1, &body)
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
            state.record(&next, 1);
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
        state.record(&header(0, 1, 900), 1);
        let fenced = state.check(&header(70, 0, 0));
        assert_eq!(fenced, Err(AppendError::InvalidProducerEpoch));
    }

    #[test]
    fn snapshots_come_back_and_damage_is_seen() {
        let mut state = ProducerState::default();
        for n in 0..7 {
            state.record(&header(n * 10, 3, i64::from(n) * 100), 9);
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
        state.record(&header(0, 0, 0), 100);
        state.expire(199, 100);
        assert_eq!(state.producers.len(), 1);
        state.expire(200, 100);
        assert_eq!(state.producers.len(), 0);
    }
}
