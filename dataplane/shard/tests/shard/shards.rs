//! Two shards of one broker: a connection of one works on the partitions of both.

use crate::harness::{Broker, batch, fetch_body, produce_body, stored};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{
    FetchResponse, ListOffsetsRequest, ListOffsetsResponse, ProduceResponse,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
};

#[test]
fn a_connection_works_on_the_partitions_of_every_shard() {
    let mut broker = Broker::start_shards(&[("t", 4)], 2);
    let mut client = broker.connect();
    let records = batch(&[b"a", b"b"]);
    for round in 0..3 {
        let all: Vec<(&str, i32, &[u8])> = (0..4).map(|p| ("t", p, &records[..])).collect();
        let body = produce_body(9, 1, &all);
        let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
        let response = ProduceResponse::decode(&body, 9).unwrap();
        assert_eq!(response.responses.len(), 4);
        for topic in &response.responses {
            let partition = &topic.partition_responses[0];
            assert_eq!(partition.error_code, 0);
            assert_eq!(partition.base_offset, round * 2, "{}", partition.index);
            assert_eq!(partition.log_start_offset, 0);
        }
    }
    let all: Vec<(&str, i32, i64)> = (0..4).map(|p| ("t", p, 2)).collect();
    let body = fetch_body(12, 100, 1, &all);
    let body = broker.call(&mut client, ApiKey::Fetch, 12, &body);
    let response = FetchResponse::decode(&body, 12).unwrap();
    let expected = [stored(&records, 2, 0), stored(&records, 4, 0)].concat();
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    let mut count = 0;
    for partition in partitions {
        assert_eq!((partition.error_code, partition.high_watermark), (0, 6));
        assert_eq!(partition.records.as_deref(), Some(&expected[..]));
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn a_parked_fetch_is_woken_by_an_append_on_another_shard() {
    let mut broker = Broker::start_shards(&[("t", 2)], 2);
    let (mut reader, mut writer) = (broker.connect(), broker.connect());
    let all = [("t", 0, 0), ("t", 1, 0)];
    for (round, partition) in [0, 1, 1, 0].into_iter().enumerate() {
        let offsets: Vec<(&str, i32, i64)> = all
            .iter()
            .map(|(t, p, _)| {
                let before = [0, 1, 1, 0][..round].iter().filter(|q| **q == *p).count();
                (*t, *p, before as i64)
            })
            .collect();
        let body = fetch_body(12, 60_000, 1, &offsets);
        let id = reader.send(&mut broker, ApiKey::Fetch, 12, &body);
        broker.turns(20);
        assert!(reader.take_frame().is_none(), "round {round}: nothing yet");
        let records = batch(&[b"x"]);
        broker.produce(&mut writer, 9, "t", partition, &records);
        let body = reader.expect(&mut broker, ApiKey::Fetch, 12, id);
        let response = FetchResponse::decode(&body, 12).unwrap();
        let found = response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions);
        let with_records: Vec<i32> = found
            .filter(|p| p.records.as_ref().is_some_and(|r| !r.is_empty()))
            .map(|p| p.partition_index)
            .collect();
        assert_eq!(with_records, [partition], "round {round}");
    }
}

#[test]
fn refusals_and_offsets_come_from_the_owning_shard() {
    let mut broker = Broker::start_shards(&[("t", 2)], 2);
    let mut client = broker.connect();
    broker.produce(&mut client, 9, "t", 0, &batch(&[b"a"]));
    broker.produce(&mut client, 9, "t", 1, &batch(&[b"a", b"b"]));
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: "t".to_owned(),
            partitions: (0..3)
                .map(|partition_index| ListOffsetsPartition {
                    partition_index,
                    timestamp: -1,
                    ..ListOffsetsPartition::default()
                })
                .collect(),
            ..ListOffsetsTopic::default()
        }],
        ..ListOffsetsRequest::default()
    };
    for version in [1, 4, 10] {
        let mut body = Vec::new();
        request.encode(&mut body, version).unwrap();
        let body = broker.call(&mut client, ApiKey::ListOffsets, version, &body);
        let response = ListOffsetsResponse::decode(&body, version).unwrap();
        let found: Vec<(i16, i64)> = response.topics[0]
            .partitions
            .iter()
            .map(|partition| (partition.error_code, partition.offset))
            .collect();
        let unknown = ErrorCode::UnknownTopicOrPartition.code();
        assert_eq!(found, [(0, 1), (0, 2), (unknown, -1)], "version {version}");
    }
    let mut corrupt = batch(&[b"x"]);
    corrupt[65] ^= 1;
    for partition in 0..2 {
        let response = broker.produce(&mut client, 9, "t", partition, &corrupt);
        let code = response.responses[0].partition_responses[0].error_code;
        assert_eq!(code, ErrorCode::CorruptMessage.code());
        let response = broker.fetch(&mut client, 12, "t", partition, 99);
        let code = response.responses[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::OffsetOutOfRange.code());
        // Without acks the connection is what is left to tell with.
        let body = produce_body(9, 0, &[("t", partition, &corrupt)]);
        let mut unanswered = broker.connect();
        unanswered.send(&mut broker, ApiKey::Produce, 9, &body);
        unanswered.expect_close(&mut broker);
    }
}

#[test]
fn no_growth_is_missed_between_the_question_and_the_wait() {
    let mut broker = Broker::start_shards(&[("t", 2)], 2);
    let (mut reader, mut writer) = (broker.connect(), broker.connect());
    let records = batch(&[b"x"]);
    let mut offsets = [0i64; 2];
    for round in 0..200 {
        let asked = [("t", 0, offsets[0]), ("t", 1, offsets[1])];
        let body = fetch_body(12, 60_000, 1, &asked);
        let (id, frame) = reader.frame(ApiKey::Fetch, 12, &body);
        assert_eq!(reader.socket.send(&frame), frame.len());
        // The append overtakes the fetch's messages, goes with them, or follows them.
        broker.turns(round % 5);
        let partition = (round / 5 % 2) as i32;
        let body = produce_body(9, 1, &[("t", partition, &records)]);
        let (produce, frame) = writer.frame(ApiKey::Produce, 9, &body);
        assert_eq!(writer.socket.send(&frame), frame.len());
        offsets[partition as usize] += 1;
        let body = reader.expect(&mut broker, ApiKey::Fetch, 12, id);
        FetchResponse::decode(&body, 12).unwrap();
        writer.expect(&mut broker, ApiKey::Produce, 9, produce);
    }
}
