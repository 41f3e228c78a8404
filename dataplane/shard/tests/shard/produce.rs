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

/// A batch with some bytes changed, under a CRC that is right.
fn changed(values: &[&[u8]], change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = batch(values);
    change(&mut bytes);
    let crc = precursor_memory::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes
}

#[test]
fn several_mistakes_are_answered_with_the_one_that_kafka_sees_first() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let good = batch(&[b"x"]);
    let newer = changed(&[b"x"], |bytes| bytes[16] = 3);
    let older = changed(&[b"x"], |bytes| bytes[16] = 1);
    let transactional = changed(&[b"x"], |bytes| bytes[22] = 0x10);
    let control = changed(&[b"x"], |bytes| bytes[22] = 0x20);
    let unauthorised = ErrorCode::TransactionalIdAuthorizationFailed;
    let cases: [(&str, i16, &[u8], ErrorCode, i64); 8] = [
        ("nowhere", 1, &newer, ErrorCode::CorruptMessage, -1),
        ("t", 2, &newer, ErrorCode::CorruptMessage, -1),
        ("nowhere", 1, &transactional, unauthorised, -1),
        ("t", 2, &transactional, unauthorised, -1),
        ("nowhere", 2, &older, ErrorCode::UnknownTopicOrPartition, -1),
        ("t", 2, &older, ErrorCode::InvalidRecord, -1),
        ("t", 2, &good, ErrorCode::InvalidRequiredAcks, -1),
        // What the records themselves say is answered with where the log begins.
        ("t", 1, &control, ErrorCode::InvalidRecord, 0),
    ];
    for (topic, acks, records, error, log_start) in cases {
        let parts: [(&str, i32, &[u8]); 1] = [(topic, 0, records)];
        let body = produce_body(9, acks, &parts);
        let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
        let response = ProduceResponse::decode(&body, 9).unwrap();
        let refused = &response.responses[0].partition_responses[0];
        let told = (
            ErrorCode::from_code(refused.error_code),
            refused.log_start_offset,
        );
        assert_eq!(told, (Some(error), log_start), "{topic}, acks {acks}");
    }
    // Damage in one partition: none is served.
    let parts: [(&str, i32, &[u8]); 2] = [("t", 0, &good), ("nowhere", 0, &newer)];
    let body = broker.call(&mut client, ApiKey::Produce, 9, &produce_body(9, 1, &parts));
    let response = ProduceResponse::decode(&body, 9).unwrap();
    let codes = response.responses.iter();
    let codes: Vec<i16> = codes
        .map(|topic| topic.partition_responses[0].error_code)
        .collect();
    assert_eq!(codes, [2, 2]);
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
