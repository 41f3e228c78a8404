//! Produce.

use crate::harness::{Broker, batch, produce_body, stored};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::ProduceResponse;

#[test]
fn every_version_appends_and_every_version_fetches_the_same_bytes() {
    let mut broker = Broker::start(&[("t", 2)]);
    let mut client = broker.connect();
    let mut expected = Vec::new();
    for (number, version) in (3..=11).enumerate() {
        let value = format!("value-{version}");
        let records = batch(&[value.as_bytes(), b"", value.as_bytes()]);
        let response = broker.produce(&mut client, version, "t", 1, &records);
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, 0, "version {version}");
        assert_eq!(partition.base_offset, number as i64 * 3);
        assert_eq!(partition.index, 1);
        expected.extend(stored(&records, number as i64 * 3, 0));
    }
    for version in 4..=12 {
        let response = broker.fetch(&mut client, version, "t", 1, 0);
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, 0);
        assert_eq!(partition.high_watermark, 27);
        assert_eq!(
            partition.records.as_deref(),
            Some(&expected[..]),
            "version {version}"
        );
    }
    let stats = broker.region.stats(0);
    assert_eq!((stats.records_in.get(), stats.batches_in.get()), (27, 9));
}

#[test]
fn refusals_name_their_reason() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let good = batch(&[b"x"]);
    let mut corrupt = good.clone();
    let last = corrupt.len() - 1;
    corrupt[last] ^= 1;
    let two = [good.clone(), good.clone()].concat();
    // One record that claims to be longer than the batch, under a CRC that is right.
    let mut overlong = good.clone();
    overlong[61] = 0x7e;
    let crc = precursor_memory::crc32c(&overlong[21..]);
    overlong[17..21].copy_from_slice(&crc.to_be_bytes());
    let cases: [(&str, i32, i16, &[u8], ErrorCode); 7] = [
        ("nowhere", 0, 1, &good, ErrorCode::UnknownTopicOrPartition),
        ("t", 1, 1, &good, ErrorCode::UnknownTopicOrPartition),
        ("t", -1, 1, &good, ErrorCode::UnknownTopicOrPartition),
        ("t", 0, 7, &good, ErrorCode::InvalidRequiredAcks),
        ("t", 0, 1, &corrupt, ErrorCode::CorruptMessage),
        ("t", 0, 1, &two, ErrorCode::InvalidRecord),
        ("t", 0, 1, &overlong, ErrorCode::InvalidRecord),
    ];
    for (topic, partition, acks, records, error) in cases {
        let body = produce_body(9, acks, &[(topic, partition, records)]);
        let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
        let response = ProduceResponse::decode(&body, 9).unwrap();
        let refused = &response.responses[0].partition_responses[0];
        let code = ErrorCode::from_code(refused.error_code).unwrap();
        assert_eq!(
            (code, refused.base_offset),
            (error, -1),
            "{topic}-{partition}"
        );
    }
    // One bad partition does not spoil the others.
    let parts: [(&str, i32, &[u8]); 2] = [("nowhere", 0, &good), ("t", 0, &good)];
    let body = produce_body(9, -1, &parts);
    let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    let codes: Vec<i16> = response
        .responses
        .iter()
        .map(|topic| topic.partition_responses[0].error_code)
        .collect();
    assert_eq!(codes, [3, 0]);
}

#[test]
fn without_acks_there_is_no_answer_and_an_error_ends_the_connection() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let good = batch(&[b"x"]);
    let body = produce_body(7, 0, &[("t", 0, &good)]);
    client.send(&mut broker, ApiKey::Produce, 7, &body);
    // The next answer is the one to the next request.
    let response = broker.produce(&mut client, 7, "t", 0, &good);
    assert_eq!(response.responses[0].partition_responses[0].base_offset, 1);
    let body = produce_body(7, 0, &[("nowhere", 0, &good)]);
    client.send(&mut broker, ApiKey::Produce, 7, &body);
    client.expect_close(&mut broker);
}

#[test]
fn acks_all_needs_the_replicas_that_the_topic_asks_for() {
    let mut broker = Broker::start(&[("t", 1)]);
    broker.control.topics[0].options = vec![("min.insync.replicas".to_owned(), "2".to_owned())];
    broker.control.send_image();
    broker.turns(20);
    let mut client = broker.connect();
    let good = batch(&[b"x"]);
    for (acks, error) in [(-1, ErrorCode::NotEnoughReplicas), (1, ErrorCode::None)] {
        let body = produce_body(9, acks, &[("t", 0, &good)]);
        let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
        let response = ProduceResponse::decode(&body, 9).unwrap();
        let code = response.responses[0].partition_responses[0].error_code;
        assert_eq!(ErrorCode::from_code(code), Some(error), "acks {acks}");
    }
}
