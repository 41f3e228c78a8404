//! DescribeProducers, also of partitions that another shard owns.

use crate::harness::Broker;
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::describe_producers_request::TopicRequest;
use precursor_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use precursor_protocol::records::BatchBuilder;

fn batch(producer_id: i64, epoch: i16, sequence: i32, timestamp: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.set_producer(producer_id, epoch, sequence);
    for _ in 0..2 {
        builder.append(timestamp, None, Some(b"x"), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

#[test]
fn the_producers_of_every_partition_are_described_by_whichever_shard() {
    let mut broker = Broker::start_shards(&[("t", 3)], 2);
    let mut client = broker.connect();
    broker.produce(&mut client, 9, "t", 0, &batch(70, 1, 0, 1_000));
    broker.produce(&mut client, 9, "t", 0, &batch(70, 1, 2, 2_000));
    broker.produce(&mut client, 9, "t", 1, &batch(80, 0, 0, 3_000));
    broker.produce(&mut client, 9, "t", 0, &batch(60, 0, 0, 4_000));
    let request = DescribeProducersRequest {
        topics: vec![
            TopicRequest {
                name: "t".into(),
                partition_indexes: vec![2, 1, 0, 9],
                ..TopicRequest::default()
            },
            TopicRequest {
                name: "none".into(),
                partition_indexes: vec![0],
                ..TopicRequest::default()
            },
            TopicRequest {
                name: "no name".into(),
                partition_indexes: vec![0],
                ..TopicRequest::default()
            },
        ],
        ..DescribeProducersRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, 0).unwrap();
    for client in [&mut client, &mut broker.connect()] {
        let answer = broker.call(client, ApiKey::DescribeProducers, 0, &body);
        let answer = DescribeProducersResponse::decode(&answer, 0).unwrap();
        let told: Vec<_> = answer.topics[0]
            .partitions
            .iter()
            .map(|partition| {
                let producers = partition.active_producers.iter();
                let producers: Vec<_> = producers
                    .map(|p| {
                        (
                            p.producer_id,
                            p.producer_epoch,
                            p.last_sequence,
                            p.last_timestamp,
                        )
                    })
                    .collect();
                (partition.partition_index, partition.error_code, producers)
            })
            .collect();
        let unknown = ErrorCode::UnknownTopicOrPartition.code();
        let expected = [
            (2, 0, vec![]),
            (1, 0, vec![(80, 0, 1, 3_000)]),
            (0, 0, vec![(60, 0, 1, 4_000), (70, 1, 3, 2_000)]),
            (9, unknown, vec![]),
        ];
        assert_eq!(told, expected);
        let of_none = &answer.topics[1].partitions[0];
        assert_eq!(of_none.error_code, unknown);
        let of_no_name = &answer.topics[2].partitions[0];
        assert_eq!(
            of_no_name.error_code,
            ErrorCode::InvalidTopicException.code()
        );
        let producer = &answer.topics[0].partitions[1].active_producers[0];
        assert_eq!(
            (
                producer.coordinator_epoch,
                producer.current_txn_start_offset
            ),
            (-1, -1)
        );
    }
}
