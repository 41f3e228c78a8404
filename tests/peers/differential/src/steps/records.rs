//! Records: written, read, looked up, deleted.

use super::World;
use crate::dice::Dice;
use crate::pair::Pair;
use crate::subject::Subject;
use precursor_compression::{compress, decompress};
use precursor_protocol::messages::delete_records_request::*;
use precursor_protocol::messages::describe_producers_request::*;
use precursor_protocol::messages::fetch_request::*;
use precursor_protocol::messages::init_producer_id_request::InitProducerIdRequest;
use precursor_protocol::messages::list_offsets_request::*;
use precursor_protocol::messages::offset_for_leader_epoch_request::*;
use precursor_protocol::messages::produce_request::*;
use precursor_protocol::records::{BatchHeaderMut, Codec, HEADER_LENGTH, split_batches};
use precursor_tests_cluster::batch::{Sequence, encode};

/// Every batch's timestamp, from which lookups by time start: some time in 2026.
const TIME_MS: i64 = 1_780_000_000_000;

pub(crate) fn produce(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ProduceRequest>(dice) else {
        return;
    };
    let topic = world.topic(dice);
    let records = Some(batch(dice));
    let request = Written {
        topic,
        partition: dice.pick(&[0, 0, 0, 1, 2, -1, 99]),
        acks: dice.pick(&[1, 1, -1, -1, 2, -2]),
        records,
    };
    send(pair, version, &request, |_| request.records.clone());
}

struct Written {
    topic: String,
    partition: i32,
    acks: i16,
    records: Option<Vec<u8>>,
}

fn send(
    pair: &mut Pair,
    version: i16,
    written: &Written,
    records: impl Fn(&Subject) -> Option<Vec<u8>>,
) -> Option<bool> {
    let make = |subject: &Subject| ProduceRequest {
        acks: written.acks,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: if version < 13 {
                written.topic.clone()
            } else {
                String::new()
            },
            topic_id: if version < 13 {
                Default::default()
            } else {
                subject.topic_id(&written.topic)
            },
            partition_data: vec![PartitionProduceData {
                index: written.partition,
                records: records(subject),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answers = pair.exchange(version, make, |_| {})?;
    let partition = answers
        .kafka
        .responses
        .first()?
        .partition_responses
        .first()?;
    Some(partition.error_code == 0)
}

/// Mostly a good batch; else one with something wrong.
fn batch(dice: &mut Dice) -> Vec<u8> {
    let values: Vec<Vec<u8>> = (0..dice.between(1, 4))
        .map(|n| vec![b'a' + n as u8; 20])
        .collect();
    let mut bytes = encode(
        &values,
        None,
        TIME_MS + i64::from(dice.between(0, 50)) * 1000,
    );
    match dice.between(0, 24) {
        // Another CRC.
        0 => bytes[17] ^= 1,
        // Another format.
        1 => bytes[16] = 1,
        2 => bytes[16] = 3,
        // A record count that is not true.
        3 => bytes[60] += 1,
        // Cut off.
        4 => bytes.truncate(bytes.len() - 3),
        5 => bytes.clear(),
        // No records at all (null) are left out: Kafka 4.3 never answers that.
        // Two batches, which format 2 allows only one of.
        7 => bytes.extend(encode(&values, None, TIME_MS)),
        // Beyond max.message.bytes.
        8 => bytes = encode(&[vec![b'x'; 1_200_000]], None, TIME_MS),
        // A codec that nobody knows, its CRC right again.
        9 => {
            bytes[22] = 7;
            sign(&mut bytes);
        }
        // Said to be of a transaction, without a transactional id.
        10 => {
            bytes[22] = 0x10;
            sign(&mut bytes);
        }
        // Said to be a control batch.
        11 => {
            bytes[22] = 0x20;
            sign(&mut bytes);
        }
        12 => bytes = packed(&bytes, Codec::Gzip),
        13 => bytes = packed(&bytes, Codec::Snappy),
        14 => bytes = packed(&bytes, Codec::Lz4),
        15 => bytes = packed(&bytes, Codec::Zstd),
        _ => {}
    }
    bytes
}

/// The batch in another codec.
fn packed(plain: &[u8], codec: Codec) -> Vec<u8> {
    let mut out = plain[..HEADER_LENGTH].to_vec();
    let records = compress(codec, &plain[HEADER_LENGTH..]);
    out.extend(records.expect("compression into memory does not fail"));
    let mut header = BatchHeaderMut::of_rewritten(&mut out);
    header.set_codec(codec);
    header.update_crc();
    out
}

/// Compressed batches with their records as they were before: the same records take other bytes in
/// another library. The header says which codec the broker has them in.
fn unpack(records: &mut Option<Vec<u8>>) {
    let Some(bytes) = records else {
        return;
    };
    let mut out = Vec::new();
    let mut batches = split_batches(bytes);
    loop {
        // A batch that is cut off stays as it is.
        let rest = batches.rest();
        let Some(Ok(batch)) = batches.next() else {
            out.extend_from_slice(rest);
            break;
        };
        match decompress(batch.codec(), batch.record_bytes()) {
            Ok(plain) if batch.codec() != Codec::None => {
                let mut header = batch.bytes()[..HEADER_LENGTH].to_vec();
                let length = (header.len() + plain.len() - 12) as i32;
                header[8..12].copy_from_slice(&length.to_be_bytes());
                header[17..21].fill(0);
                out.extend(header);
                out.extend(plain);
            }
            _ => out.extend_from_slice(batch.bytes()),
        }
    }
    *bytes = out;
}

fn sign(batch: &mut [u8]) {
    let crc = precursor_tests_cluster::batch::crc(batch);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

pub(crate) fn init_producer_id(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<InitProducerIdRequest>(dice) else {
        return;
    };
    let name = format!("producer {} of {}", world.producers, world.seed);
    let earlier = format!("producer 0 of {}", world.seed);
    let again = version >= 3 && world.producers > 0 && dice.once_in(4);
    let timeout = dice.pick(&[60_000, 60_000, 0, i32::MAX]);
    let make = |subject: &Subject| InitProducerIdRequest {
        transaction_timeout_ms: timeout,
        producer_id: if again {
            subject.own_number(&earlier)
        } else {
            -1
        },
        producer_epoch: if again { 0 } else { -1 },
        ..Default::default()
    };
    let answers = pair.exchange_learning(
        version,
        make,
        |_| {},
        |subject, answer| {
            if answer.error_code == 0 {
                subject.learn_number(&name, answer.producer_id);
            }
        },
    );
    if answers.is_some_and(|a| a.kafka.error_code == 0 && a.ours.error_code == 0) {
        world.producers += 1;
    }
}

pub(crate) fn produce_idempotent(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let version = pair.version::<ProduceRequest>(dice);
    let (Some(version), 1..) = (version, world.producers) else {
        return;
    };
    let producer = dice.between(0, world.producers as i16 - 1) as usize;
    let topic = dice.pick(&world.topics);
    let next = world
        .sequences
        .get(&(producer, topic.clone()))
        .copied()
        .unwrap_or(0);
    let count = i32::from(dice.between(1, 3));
    let first = match dice.between(0, 9) {
        // A gap, a repetition of the last batch or of something older.
        0 => next + 5,
        1 => (next - count).max(0),
        2 => 0,
        _ => next,
    };
    let epoch = dice.pick(&[0, 0, 0, 0, 0, 1]);
    let values = vec![b"idempotent".to_vec(); count as usize];
    let written = Written {
        topic: topic.clone(),
        partition: 0,
        acks: -1,
        records: None,
    };
    let name = format!("producer {producer} of {}", world.seed);
    let made = send(pair, version, &written, |subject| {
        let sequence = Sequence {
            producer_id: subject.own_number(&name),
            producer_epoch: epoch,
            first,
        };
        Some(encode(&values, Some(sequence), TIME_MS))
    });
    if made == Some(true) && first >= next {
        world.sequences.insert((producer, topic), first + count);
    }
}

pub(crate) fn fetch(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<FetchRequest>(dice) else {
        return;
    };
    let topic = world.topic(dice);
    let partition = FetchPartition {
        partition: dice.pick(&[0, 0, 0, 1, 2, -1, 99]),
        current_leader_epoch: if version < 9 {
            -1
        } else {
            dice.pick(&[-1, -1, -1, 0, 5])
        },
        fetch_offset: dice.pick(&[0, 0, 1, 2, 3, 5, -1, 10_000]),
        partition_max_bytes: dice.pick(&[1_000_000, 1_000_000, 1, 150]),
        ..Default::default()
    };
    let max_bytes = dice.pick(&[50_000_000, 50_000_000, 1, 0]);
    let isolation_level = dice.pick(&[0, 1]);
    let make = |subject: &Subject| FetchRequest {
        max_wait_ms: 0,
        min_bytes: 0,
        max_bytes,
        isolation_level,
        session_id: 0,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: if version < 13 {
                topic.clone()
            } else {
                String::new()
            },
            topic_id: if version < 13 {
                Default::default()
            } else {
                subject.topic_id(&topic)
            },
            partitions: vec![partition.clone()],
            ..Default::default()
        }],
        ..Default::default()
    };
    pair.exchange(version, make, |answer| {
        for partition in answer
            .responses
            .iter_mut()
            .flat_map(|topic| &mut topic.partitions)
        {
            unpack(&mut partition.records);
            hide_producer_ids(partition.records.as_mut());
            // Both none and an empty list say that there is none.
            if partition
                .aborted_transactions
                .as_ref()
                .is_some_and(Vec::is_empty)
            {
                partition.aborted_transactions = None;
            }
            if partition.records.as_ref().is_some_and(Vec::is_empty) {
                partition.records = None;
            }
        }
    });
}

/// Batches hold the producer's id, which each broker made up, and with it the CRC.
fn hide_producer_ids(records: Option<&mut Vec<u8>>) {
    let Some(mut rest) = records.map(Vec::as_mut_slice) else {
        return;
    };
    while rest.len() > 61 {
        let length = i32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]);
        let end = usize::try_from(length).map_or(rest.len(), |length| 12 + length);
        // Maximum timestamps of LogAppendTime are the broker's clock.
        if rest[22] & 8 != 0 {
            rest[27..43].fill(0);
        }
        if rest[43..51] != [0xff; 8] || rest[22] & 8 != 0 {
            rest[17..21].fill(0);
            rest[43..51].fill(0);
        }
        let end = end.min(rest.len());
        rest = &mut rest[end..];
    }
}

pub(crate) fn list_offsets(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ListOffsetsRequest>(dice) else {
        return;
    };
    let timestamp = match version {
        7.. => dice.pick(&[-1, -2, -3, -4, -5, 0, TIME_MS, TIME_MS + 20_000]),
        _ => dice.pick(&[-1, -2, -3, 0, TIME_MS, TIME_MS + 20_000, i64::MAX]),
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: if version < 2 { 0 } else { dice.pick(&[0, 1]) },
        topics: vec![ListOffsetsTopic {
            name: world.topic(dice),
            partitions: vec![ListOffsetsPartition {
                partition_index: dice.pick(&[0, 0, 0, 1, -1, 50]),
                current_leader_epoch: if version < 4 {
                    -1
                } else {
                    dice.pick(&[-1, -1, 0, 7])
                },
                timestamp,
                ..Default::default()
            }],
            ..Default::default()
        }],
        timeout_ms: if version < 10 { 0 } else { 5_000 },
        ..Default::default()
    };
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            let topics = answer.topics.iter_mut();
            for partition in topics.flat_map(|topic| &mut topic.partitions) {
                // The broker's clock, where the topic has LogAppendTime.
                if partition.timestamp > TIME_MS + 1_000_000 {
                    partition.timestamp = i64::MAX;
                }
            }
        },
    );
}

pub(crate) fn leader_epochs(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<OffsetForLeaderEpochRequest>(dice) else {
        return;
    };
    let request = OffsetForLeaderEpochRequest {
        replica_id: if version < 3 { -2 } else { -1 },
        topics: vec![OffsetForLeaderTopic {
            topic: world.topic(dice),
            partitions: vec![OffsetForLeaderPartition {
                partition: dice.pick(&[0, 0, 1, 77]),
                current_leader_epoch: dice.pick(&[-1, -1, 0, 3]),
                leader_epoch: dice.pick(&[0, 0, -1, 1, 9]),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

pub(crate) fn delete_records(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DeleteRecordsRequest>(dice) else {
        return;
    };
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: world.topic(dice),
            partitions: vec![DeleteRecordsPartition {
                partition_index: dice.pick(&[0, 0, 1, 20]),
                offset: dice.pick(&[0, 1, 2, -1, -2, 100_000]),
                ..Default::default()
            }],
            ..Default::default()
        }],
        timeout_ms: 10_000,
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

pub(crate) fn describe_producers(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeProducersRequest>(dice) else {
        return;
    };
    let request = DescribeProducersRequest {
        topics: vec![TopicRequest {
            name: world.topic(dice),
            partition_indexes: vec![dice.pick(&[0, 0, 1, 66])],
            ..Default::default()
        }],
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |answer| {
        for partition in answer.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
            let order = |p: &precursor_protocol::messages::describe_producers_response::ProducerState| {
                (p.producer_epoch, p.last_sequence, p.producer_id)
            };
            partition.active_producers.sort_by_key(order);
        }
    });
}
