//! What the writers write is what the owned messages encode.

use crate::random::{Random, Source};
use precursor_model::ErrorCode;
use precursor_protocol::messages::{
    DeleteRecordsResponse, FetchResponse, ListOffsetsResponse, MetadataResponse,
    OffsetForLeaderEpochResponse, ProduceResponse, fetch_response, produce_response,
};
use precursor_protocol::writers::{
    AbortedTransaction, CurrentLeader, DeleteRecordsResponseWriter, EpochEnd, FetchHead,
    FetchPartition, FetchResponseWriter, ListOffsetsPartition, ListOffsetsResponseWriter,
    MetadataPartition, MetadataResponseWriter, MetadataTopic, OffsetForLeaderEpochResponseWriter,
    ProducePartition, ProduceResponseWriter,
};
use precursor_protocol::{EncodeError, Message};

/// What stands in the buffer before the message.
const BEFORE: &[u8] = b"header";

/// Random messages in every version up to `version_max`, written both ways.
fn compare<M: Message + Random>(
    version_max: i16,
    adapt: impl Fn(&mut M, &mut Source),
    write: impl Fn(&M, i16, &mut Vec<u8>) -> Result<(), EncodeError>,
) {
    for version in M::VERSION_MIN..=version_max {
        for seed in 0..200 {
            let about = format!("{:?} version {version} seed {seed}", M::KEY);
            let mut source = Source::new(seed);
            source.unknown_tags = false;
            let mut message = M::random(&mut source, version);
            adapt(&mut message, &mut source);
            let (mut owned, mut written) = (BEFORE.to_vec(), BEFORE.to_vec());
            message.encode(&mut owned, version).expect(&about);
            write(&message, version, &mut written).expect(&about);
            assert!(owned == written, "{about}: {message:?}");
        }
    }
}

/// A code that exists; random ones mostly do not.
fn known_error(code: &mut i16, source: &mut Source) -> ErrorCode {
    *code = source.below(137) as i16 - 1;
    ErrorCode::from_code(*code).expect("all codes up to 136 exist")
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("made known before")
}

#[test]
fn produce() {
    let adapt = |message: &mut ProduceResponse, source: &mut Source| {
        // A writer says nothing of these.
        message.node_endpoints.clear();
        for partition in message
            .responses
            .iter_mut()
            .flat_map(|t| &mut t.partition_responses)
        {
            known_error(&mut partition.error_code, source);
            partition.record_errors.clear();
        }
    };
    compare(13, adapt, |message, version, out| {
        let mut writer = ProduceResponseWriter::new(out, version, message.responses.len());
        for topic in &message.responses {
            writer.topic(&topic.name, topic.topic_id, topic.partition_responses.len());
            for p in &topic.partition_responses {
                let leader = &p.current_leader;
                let known = *leader != produce_response::LeaderIdAndEpoch::default();
                writer.partition(&ProducePartition {
                    index: p.index,
                    error: error(p.error_code),
                    base_offset: p.base_offset,
                    log_append_time_ms: p.log_append_time_ms,
                    log_start_offset: p.log_start_offset,
                    error_message: p.error_message.as_deref(),
                    current_leader: known.then_some(CurrentLeader {
                        leader_id: leader.leader_id,
                        leader_epoch: leader.leader_epoch,
                    }),
                });
            }
        }
        writer.finish(message.throttle_time_ms)
    });
}

#[test]
fn fetch() {
    let adapt = |message: &mut FetchResponse, source: &mut Source| {
        message.node_endpoints.clear();
        known_error(&mut message.error_code, source);
        for partition in message.responses.iter_mut().flat_map(|t| &mut t.partitions) {
            known_error(&mut partition.error_code, source);
            partition.snapshot_id = fetch_response::SnapshotId::default();
            partition.records.get_or_insert_default();
        }
    };
    compare(15, adapt, |message, version, out| {
        let head = FetchHead {
            throttle_time_ms: message.throttle_time_ms,
            error: error(message.error_code),
            session_id: message.session_id,
        };
        let mut writer = FetchResponseWriter::new(out, version, &head, message.responses.len());
        for topic in &message.responses {
            writer.topic(&topic.topic, topic.topic_id, topic.partitions.len());
            for p in &topic.partitions {
                write_fetch_partition(&mut writer, p);
            }
        }
        writer.finish()
    });
}

fn write_fetch_partition(writer: &mut FetchResponseWriter<'_>, p: &fetch_response::PartitionData) {
    let records = p.records.as_deref().expect("made non-null before");
    let aborted: Option<Vec<AbortedTransaction>> = p.aborted_transactions.as_ref().map(|list| {
        list.iter()
            .map(|transaction| AbortedTransaction {
                producer_id: transaction.producer_id,
                first_offset: transaction.first_offset,
            })
            .collect()
    });
    let diverging = &p.diverging_epoch;
    let leader = &p.current_leader;
    writer.partition(&FetchPartition {
        index: p.partition_index,
        error: error(p.error_code),
        high_watermark: p.high_watermark,
        last_stable_offset: p.last_stable_offset,
        log_start_offset: p.log_start_offset,
        diverging_epoch: (*diverging != fetch_response::EpochEndOffset::default())
            .then_some((diverging.epoch, diverging.end_offset)),
        current_leader: (*leader != fetch_response::LeaderIdAndEpoch::default()).then_some(
            CurrentLeader {
                leader_id: leader.leader_id,
                leader_epoch: leader.leader_epoch,
            },
        ),
        aborted_transactions: aborted.as_deref(),
        preferred_read_replica: p.preferred_read_replica,
        records_length: records.len(),
    });
    let (front, back) = records.split_at(records.len() / 2);
    writer.records(front);
    writer.records(back);
}

#[test]
fn list_offsets() {
    let adapt = |message: &mut ListOffsetsResponse, source: &mut Source| {
        for partition in message.topics.iter_mut().flat_map(|t| &mut t.partitions) {
            known_error(&mut partition.error_code, source);
        }
    };
    compare(11, adapt, |message, version, out| {
        let throttle = message.throttle_time_ms;
        let topics = message.topics.len();
        let mut writer = ListOffsetsResponseWriter::new(out, version, throttle, topics);
        for topic in &message.topics {
            writer.topic(&topic.name, topic.partitions.len());
            for p in &topic.partitions {
                writer.partition(&ListOffsetsPartition {
                    index: p.partition_index,
                    error: error(p.error_code),
                    timestamp: p.timestamp,
                    offset: p.offset,
                    leader_epoch: p.leader_epoch,
                });
            }
        }
        writer.finish()
    });
}

#[test]
fn offset_for_leader_epoch() {
    let adapt = |message: &mut OffsetForLeaderEpochResponse, source: &mut Source| {
        for partition in message.topics.iter_mut().flat_map(|t| &mut t.partitions) {
            known_error(&mut partition.error_code, source);
        }
    };
    compare(4, adapt, |message, version, out| {
        let throttle = message.throttle_time_ms;
        let topics = message.topics.len();
        let mut writer = OffsetForLeaderEpochResponseWriter::new(out, version, throttle, topics);
        for topic in &message.topics {
            writer.topic(&topic.topic, topic.partitions.len());
            for p in &topic.partitions {
                writer.partition(&EpochEnd {
                    index: p.partition,
                    error: error(p.error_code),
                    leader_epoch: p.leader_epoch,
                    end_offset: p.end_offset,
                });
            }
        }
        writer.finish()
    });
}

#[test]
fn delete_records() {
    let adapt = |message: &mut DeleteRecordsResponse, source: &mut Source| {
        for partition in message.topics.iter_mut().flat_map(|t| &mut t.partitions) {
            known_error(&mut partition.error_code, source);
        }
    };
    compare(2, adapt, |message, version, out| {
        let throttle = message.throttle_time_ms;
        let topics = message.topics.len();
        let mut writer = DeleteRecordsResponseWriter::new(out, version, throttle, topics);
        for topic in &message.topics {
            writer.topic(&topic.name, topic.partitions.len());
            for p in &topic.partitions {
                writer.partition(p.partition_index, p.low_watermark, error(p.error_code));
            }
        }
        writer.finish()
    });
}

#[test]
fn metadata() {
    let adapt = |message: &mut MetadataResponse, source: &mut Source| {
        known_error(&mut message.error_code, source);
        for topic in &mut message.topics {
            known_error(&mut topic.error_code, source);
            for partition in &mut topic.partitions {
                known_error(&mut partition.error_code, source);
            }
        }
    };
    compare(13, adapt, |message, version, out| {
        let throttle = message.throttle_time_ms;
        let brokers = message.brokers.len();
        let mut writer = MetadataResponseWriter::new(out, version, throttle, brokers);
        for b in &message.brokers {
            writer.broker(b.node_id, &b.host, b.port, b.rack.as_deref());
        }
        let cluster_id = message.cluster_id.as_deref();
        writer.cluster(cluster_id, message.controller_id, message.topics.len());
        for topic in &message.topics {
            let described = MetadataTopic {
                error: error(topic.error_code),
                name: topic.name.as_deref(),
                id: topic.topic_id,
                is_internal: topic.is_internal,
                authorized_operations: Some(topic.topic_authorized_operations),
            };
            writer.topic(&described, topic.partitions.len());
            for p in &topic.partitions {
                writer.partition(&MetadataPartition {
                    error: error(p.error_code),
                    index: p.partition_index,
                    leader_id: p.leader_id,
                    leader_epoch: p.leader_epoch,
                    replicas: &p.replica_nodes,
                    in_sync_replicas: &p.isr_nodes,
                    offline_replicas: &p.offline_replicas,
                });
            }
        }
        writer.finish(
            Some(message.cluster_authorized_operations),
            error(message.error_code),
        )
    });
}

#[test]
fn false_counts_are_caught_and_leave_nothing() {
    let mut out = BEFORE.to_vec();
    let id = precursor_model::TopicId::ZERO;
    let mut writer = ProduceResponseWriter::new(&mut out, 9, 1);
    writer.topic("t", id, 2);
    writer.partition(&ProducePartition::refused(0, ErrorCode::None));
    assert_eq!(writer.finish(0), Err(EncodeError::Count));
    assert_eq!(out, BEFORE);

    let writer = ProduceResponseWriter::new(&mut out, 9, 1);
    assert_eq!(writer.finish(0), Err(EncodeError::Count));

    let mut writer = ProduceResponseWriter::new(&mut out, 9, 0);
    writer.topic("t", id, 0);
    assert_eq!(writer.finish(0), Err(EncodeError::Count));
    assert_eq!(out, BEFORE);
}
