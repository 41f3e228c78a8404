//! Requests that the control plane makes as the broker itself.

use crate::harness::{Broker, Client, batch, fetch_body, produce_body, stored};
use precursor_model::ErrorCode;
use precursor_protocol::messages::{DescribeClusterRequest, FetchResponse, ProduceResponse};
use precursor_protocol::{ApiKey, header};
use precursor_shm::control::ToData;

const TOPIC: &str = "__internal";

/// The body of the answer to `token`, once it is there.
fn answer(broker: &mut Broker, token: u64, key: ApiKey, version: i16) -> Vec<u8> {
    broker.until("an own answer", |b| {
        b.control.own_answers.iter().any(|(of, _)| *of == token)
    });
    let place = broker
        .control
        .own_answers
        .iter()
        .position(|(of, _)| *of == token);
    let (_, frame) = broker.control.own_answers.remove(place.unwrap());
    assert!(!frame.is_empty(), "refused");
    let (correlation_id, body) = header::parse_response(&frame, key, version).unwrap();
    assert_eq!(correlation_id, token as i32);
    body.to_vec()
}

fn append(broker: &mut Broker, token: u64, records: &[u8], piece: usize) -> (i16, i64) {
    let body = produce_body(9, -1, &[(TOPIC, 0, records)]);
    broker.control.ask(token, ApiKey::Produce, 9, &body, piece);
    let body = answer(broker, token, ApiKey::Produce, 9);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

fn fetched(body: &[u8]) -> Vec<u8> {
    let mut response = FetchResponse::decode(body, 11).unwrap();
    let partition = &mut response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    partition.records.take().unwrap_or_default()
}

#[test]
fn the_broker_appends_and_reads_like_a_client_in_pieces_of_any_size() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    // Longer than a piece of the answer, and than what a slot keeps.
    let long = vec![b'x'; 200_000];
    let (first, second) = (batch(&[b"a", b"b"]), batch(&[&long]));
    assert_eq!(append(&mut broker, 1, &first, 7), (0, 0));
    assert_eq!(append(&mut broker, 2, &second, 32_000), (0, 2));
    let body = fetch_body(11, 0, 1, &[(TOPIC, 0, 0)]);
    broker.control.ask(3, ApiKey::Fetch, 11, &body, 1_000);
    let got = fetched(&answer(&mut broker, 3, ApiKey::Fetch, 11));
    let expected = [stored(&first, 0, 0), stored(&second, 2, 0)].concat();
    assert!(got == expected, "every byte in its place");
}

#[test]
fn one_that_waits_holds_up_no_other() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let body = fetch_body(11, 60_000, 1, &[(TOPIC, 0, 0)]);
    broker.control.ask(1, ApiKey::Fetch, 11, &body, 1_000);
    broker.turns(20);
    assert!(broker.control.own_answers.is_empty(), "it waits for bytes");
    let records = batch(&[b"a"]);
    assert_eq!(append(&mut broker, 2, &records, 1_000), (0, 0));
    let got = fetched(&answer(&mut broker, 1, ApiKey::Fetch, 11));
    assert_eq!(got, stored(&records, 0, 0), "woken by the append");
}

#[test]
fn only_the_broker_and_kafkas_administrator_write_to_internal_topics() {
    let mut broker = Broker::start(&[(TOPIC, 1), ("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"a"]);
    let body = produce_body(9, 1, &[(TOPIC, 0, &records), ("t", 0, &records)]);
    let body = broker.call(&mut client, ApiKey::Produce, 9, &body);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    let codes: Vec<i16> = response
        .responses
        .iter()
        .map(|topic| topic.partition_responses[0].error_code)
        .collect();
    assert_eq!(codes, [ErrorCode::InvalidTopicException.code(), 0]);
    client.id = "__admin_client";
    let response = broker.produce(&mut client, 9, TOPIC, 0, &records);
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
}

#[test]
fn what_cannot_be_served_has_an_empty_answer() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let acks_none = produce_body(9, 0, &[(TOPIC, 0, &batch(&[b"a"]))]);
    broker.control.ask(1, ApiKey::Produce, 9, &acks_none, 1_000);
    // The control plane's own, a version that is not served, and rubbish.
    broker
        .control
        .ask(2, ApiKey::CreateTopics, 5, &[0; 20], 1_000);
    broker.control.ask(3, ApiKey::Produce, 1, &[], 1_000);
    broker.control.ask(4, ApiKey::Fetch, 11, &[1, 2, 3], 1_000);
    broker.until("four answers", |b| b.control.own_answers.len() == 4);
    for (token, frame) in &broker.control.own_answers {
        assert!(frame.is_empty(), "{token}");
    }
    broker.control.own_answers.clear();
    let records = batch(&[b"b"]);
    assert_eq!(append(&mut broker, 5, &records, 1_000), (0, 1));
}

#[test]
fn a_new_control_plane_has_none_of_the_old_ones_requests() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let body = fetch_body(11, 60_000, 1, &[(TOPIC, 0, 0)]);
    for token in 0..300 {
        broker.control.ask(token, ApiKey::Fetch, 11, &body, 1_000);
        broker.turns(2);
    }
    let refused = broker.control.own_answers.len();
    assert_eq!(refused, 44, "256 at a time, no more");
    broker.control.own_answers.clear();
    broker.control.restart();
    broker.turns(20);
    let records = batch(&[b"a"]);
    assert_eq!(append(&mut broker, 1_000, &records, 1_000), (0, 0));
    broker.turns(20);
    assert!(broker.control.own_answers.is_empty(), "no late answers");
}

#[test]
fn answers_longer_than_the_ring_wait_for_their_reader() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let value = vec![b'y'; 900_000];
    let records = batch(&[&value]);
    assert_eq!(append(&mut broker, 1, &records, 32_000), (0, 0));
    broker.control.alive = false;
    let body = fetch_body(11, 0, 1, &[(TOPIC, 0, 0)]);
    for token in 2..6 {
        broker.control.ask(token, ApiKey::Fetch, 11, &body, 1_000);
        broker.turns(5);
    }
    broker.control.alive = true;
    for token in 2..6 {
        let got = fetched(&answer(&mut broker, token, ApiKey::Fetch, 11));
        assert!(got == stored(&records, 0, 0));
    }
}

/// Has the control plane hold `held` (a response frame) for the success of an append to `partition`,
/// of the request that it took last; the append's answer.
fn append_holding(broker: &mut Broker, own: u64, partition: i32, held: &[u8]) -> i16 {
    let token = broker.control.requests.last().expect("a request").0;
    let mut pieces = held.chunks(3).peekable();
    while let Some(bytes) = pieces.next() {
        broker.control.send(&ToData::Held {
            own,
            token,
            last: pieces.peek().is_none(),
            bytes,
        });
    }
    let body = produce_body(9, -1, &[(TOPIC, partition, &batch(&[b"a"]))]);
    broker.control.ask(own, ApiKey::Produce, 9, &body, 100);
    let body = answer(broker, own, ApiKey::Produce, 9);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    response.responses[0].partition_responses[0].error_code
}

fn held(correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = correlation_id.to_be_bytes().to_vec();
    frame.push(0);
    frame.extend_from_slice(body);
    frame
}

#[test]
fn a_held_response_leaves_with_the_append_and_not_without() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let mut client = broker.connect();
    let mut body = Vec::new();
    let request = DescribeClusterRequest::default();
    request.encode(&mut body, 0).unwrap();
    let ask = |broker: &mut Broker, client: &mut Client| {
        let before = broker.control.requests.len();
        let id = client.send(broker, ApiKey::DescribeCluster, 0, &body);
        broker.until("the request", |b| b.control.requests.len() > before);
        id
    };
    let id = ask(&mut broker, &mut client);
    assert_eq!(append_holding(&mut broker, 1, 0, &held(id, b"done")), 0);
    let got = client.expect(&mut broker, ApiKey::DescribeCluster, 0, id);
    assert_eq!(got, b"done");
    // The control plane thinks otherwise, too late: the client has its answer.
    let token = broker.control.requests.last().unwrap().0;
    broker.control.answer(token, &held(id, b"failed"));

    let id = ask(&mut broker, &mut client);
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(
        append_holding(&mut broker, 2, 7, &held(id, b"done")),
        unknown
    );
    broker.turns(20);
    assert!(client.take_frame().is_none(), "nothing was appended");
    let token = broker.control.requests.last().unwrap().0;
    broker.control.answer(token, &held(id, b"failed"));
    let got = client.expect(&mut broker, ApiKey::DescribeCluster, 0, id);
    assert_eq!(got, b"failed");
    // What was held for a failure is forgotten: the same name means another request later.
    let id = ask(&mut broker, &mut client);
    assert_eq!(append(&mut broker, 2, &batch(&[b"b"]), 100).0, 0);
    broker.turns(20);
    assert!(client.take_frame().is_none());
    let token = broker.control.requests.last().unwrap().0;
    broker.control.answer(token, &held(id, b"other"));
    let got = client.expect(&mut broker, ApiKey::DescribeCluster, 0, id);
    assert_eq!(got, b"other");
}

#[test]
fn a_control_plane_that_comes_anew_finds_nothing_held() {
    let mut broker = Broker::start(&[(TOPIC, 1)]);
    let mut client = broker.connect();
    let mut body = Vec::new();
    let request = DescribeClusterRequest::default();
    request.encode(&mut body, 0).unwrap();
    let id = client.send(&mut broker, ApiKey::DescribeCluster, 0, &body);
    broker.until("the request", |b| b.control.requests.len() == 1);
    let token = broker.control.requests[0].0;
    broker.control.send(&ToData::Held {
        own: 5,
        token,
        last: true,
        bytes: &held(id, b"done"),
    });
    broker.turns(5);
    broker.control.restart();
    client.expect_close(&mut broker);
    assert_eq!(append(&mut broker, 5, &batch(&[b"a"]), 100).0, 0);
    broker.turns(20);
}
