//! Fetch: what is there, what is not, and waiting for it.

use crate::harness::{Broker, batch, fetch_body, fetch_request, produce_body, stored};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{
    FetchResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, ProduceResponse,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
};
use std::time::{Duration, Instant};

#[test]
fn a_parked_fetch_is_answered_by_the_append_that_completes_it() {
    let mut broker = Broker::start(&[("t", 1)]);
    let (mut reader, mut writer) = (broker.connect(), broker.connect());
    let records = batch(&[b"0123456789"]);
    let both = records.len() * 2;
    let body = fetch_body(12, 60_000, both as i32, &[("t", 0, 0)]);
    let id = reader.send(&mut broker, ApiKey::Fetch, 12, &body);
    broker.turns(10);
    assert!(reader.take_frame().is_none(), "nothing to send yet");
    broker.produce(&mut writer, 9, "t", 0, &records);
    broker.turns(10);
    assert!(reader.take_frame().is_none(), "not enough yet");
    broker.produce(&mut writer, 9, "t", 0, &records);
    let body = reader.expect(&mut broker, ApiKey::Fetch, 12, id);
    let response = FetchResponse::decode(&body, 12).unwrap();
    let sent = response.responses[0].partitions[0]
        .records
        .as_ref()
        .unwrap();
    assert_eq!(sent.len(), both);
}

#[test]
fn a_parked_fetch_is_answered_empty_when_its_time_is_up() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let begun = Instant::now();
    let body = fetch_body(11, 60, 1, &[("t", 0, 0)]);
    let body = broker.call(&mut client, ApiKey::Fetch, 11, &body);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(58), "{waited:?}");
    assert!(waited < Duration::from_millis(2_000), "{waited:?}");
    let response = FetchResponse::decode(&body, 11).unwrap();
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    assert_eq!(
        partition.records.as_deref(),
        Some(&[][..]),
        "empty, not null"
    );
}

#[test]
fn answers_keep_the_order_of_the_requests_whoever_is_ready_first() {
    let mut broker = Broker::start(&[("t", 1)]);
    let (mut client, mut writer) = (broker.connect(), broker.connect());
    let body = fetch_body(4, 60_000, 1, &[("t", 0, 0)]);
    let fetch = client.send(&mut broker, ApiKey::Fetch, 4, &body);
    let mut body = Vec::new();
    MetadataRequest::default().encode(&mut body, 5).unwrap();
    let metadata = client.send(&mut broker, ApiKey::Metadata, 5, &body);
    let records = batch(&[b"x"]);
    let produce_own = produce_body(3, 1, &[("t", 0, &records)]);
    broker.turns(20);
    assert!(client.take_frame().is_none(), "the fetch comes first");
    broker.produce(&mut writer, 3, "t", 0, &records);
    let produce = client.send(&mut broker, ApiKey::Produce, 3, &produce_own);
    client.expect(&mut broker, ApiKey::Fetch, 4, fetch);
    client.expect(&mut broker, ApiKey::Metadata, 5, metadata);
    let body = client.expect(&mut broker, ApiKey::Produce, 3, produce);
    let response = ProduceResponse::decode(&body, 3).unwrap();
    assert_eq!(response.responses[0].partition_responses[0].base_offset, 1);
}

#[test]
fn offsets_epochs_and_names_that_do_not_fit_are_refused_at_once() {
    let mut broker = Broker::start(&[("t", 1)]);
    broker.control.leader_epoch = 5;
    broker.control.send_image();
    let mut client = broker.connect();
    broker.produce(&mut client, 9, "t", 0, &batch(&[b"a", b"b"]));
    let cases = [
        ("t", 0, 3, -1, ErrorCode::OffsetOutOfRange),
        ("t", 0, -1, -1, ErrorCode::OffsetOutOfRange),
        ("nowhere", 0, 0, -1, ErrorCode::UnknownTopicOrPartition),
        ("t", 9, 0, -1, ErrorCode::UnknownTopicOrPartition),
        ("t", 0, 0, 4, ErrorCode::FencedLeaderEpoch),
        ("t", 0, 0, 6, ErrorCode::UnknownLeaderEpoch),
        ("t", 0, 0, 5, ErrorCode::None),
    ];
    for (topic, partition, offset, epoch, error) in cases {
        let mut request = fetch_request(12, 60_000, 1, &[(topic, partition, offset)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        let mut body = Vec::new();
        request.encode(&mut body, 12).unwrap();
        let body = broker.call(&mut client, ApiKey::Fetch, 12, &body);
        let response = FetchResponse::decode(&body, 12).unwrap();
        let found = &response.responses[0].partitions[0];
        assert_eq!(
            ErrorCode::from_code(found.error_code),
            Some(error),
            "{topic} {offset} {epoch}"
        );
        assert!(found.records.is_some(), "never null");
    }
}

#[test]
fn limits_hold_but_the_first_batch_always_comes() {
    let mut broker = Broker::start(&[("t", 2)]);
    let mut client = broker.connect();
    let records = batch(&[&[9; 1_000]]);
    for _ in 0..5 {
        broker.produce(&mut client, 9, "t", 0, &records);
        broker.produce(&mut client, 9, "t", 1, &records);
    }
    let length = records.len() as i32;
    // Bytes per partition, bytes in all, batches of each partition.
    let cases = [
        (1, 1, [1, 0]),
        (length * 2, i32::MAX, [2, 2]),
        (length * 2 + 1, i32::MAX, [2, 2]),
        (i32::MAX, length * 3, [3, 0]),
        (length * 2, length * 3, [2, 1]),
        (0, 0, [1, 0]),
    ];
    for (partition_max, max, expected) in cases {
        let mut request = fetch_request(11, 0, 1, &[("t", 0, 0), ("t", 1, 0)]);
        request.max_bytes = max;
        for topic in &mut request.topics {
            topic.partitions[0].partition_max_bytes = partition_max;
        }
        let mut body = Vec::new();
        request.encode(&mut body, 11).unwrap();
        let body = broker.call(&mut client, ApiKey::Fetch, 11, &body);
        let response = FetchResponse::decode(&body, 11).unwrap();
        let partitions = response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions);
        let batches: Vec<i32> = partitions
            .map(|p| p.records.as_ref().map_or(0, Vec::len) as i32 / length)
            .collect();
        assert_eq!(batches, expected, "limits {partition_max} and {max}");
    }
    // An offset within a batch gives the whole batch.
    let three = batch(&[b"a", b"b", b"c"]);
    broker.produce(&mut client, 9, "t", 0, &three);
    let response = broker.fetch(&mut client, 11, "t", 0, 6);
    let sent = response.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(sent, stored(&three, 5, 0));
}

#[test]
fn list_offsets_answers_the_special_timestamps_by_version() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    broker.produce(&mut client, 9, "t", 0, &batch(&[b"a", b"b"]));
    let mut ask = |broker: &mut Broker, topic: &str, version: i16, timestamp: i64| {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: vec![ListOffsetsPartition {
                    timestamp,
                    ..ListOffsetsPartition::default()
                }],
                ..ListOffsetsTopic::default()
            }],
            ..ListOffsetsRequest::default()
        };
        let mut body = Vec::new();
        request.encode(&mut body, version).unwrap();
        let body = broker.call(&mut client, ApiKey::ListOffsets, version, &body);
        let response = ListOffsetsResponse::decode(&body, version).unwrap();
        let found = &response.topics[0].partitions[0];
        (found.error_code, found.offset)
    };
    for version in 1..=10 {
        assert_eq!(
            ask(&mut broker, "t", version, -1),
            (0, 2),
            "latest, version {version}"
        );
        assert_eq!(
            ask(&mut broker, "t", version, -2),
            (0, 0),
            "earliest, version {version}"
        );
    }
    let unsupported = ErrorCode::UnsupportedVersion.code();
    assert_eq!(ask(&mut broker, "t", 6, -3), (unsupported, -1));
    // Both records have the newest timestamp.
    assert_eq!(ask(&mut broker, "t", 7, -3), (0, 0));
    assert_eq!(ask(&mut broker, "t", 7, -4), (unsupported, -1));
    assert_eq!(ask(&mut broker, "t", 8, -4), (0, 0));
    assert_eq!(ask(&mut broker, "t", 9, -5), (0, -1));
    assert_eq!(ask(&mut broker, "t", 10, -77), (unsupported, -1));
    // Said before it is looked whether there is such a topic.
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(ask(&mut broker, "nowhere", 6, -3), (unsupported, -1));
    assert_eq!(ask(&mut broker, "nowhere", 7, -3), (unknown, -1));
}
