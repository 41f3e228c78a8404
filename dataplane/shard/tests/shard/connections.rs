//! Connections: limits, idleness, garbage, pipelining, slowness.

use crate::harness::{Broker, batch, fetch_body, produce_body};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{FetchResponse, MetadataRequest, ProduceResponse};
use precursor_transport_sim::SimFaults;
use std::time::{Duration, Instant};

#[test]
fn bytes_that_are_no_request_end_their_connection_and_are_counted() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut good = broker.connect();
    let cases: [&[u8]; 7] = [
        &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 2, 0, 0],
        &[0, 0, 0, 0],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        // An API key that is nobody's.
        &[0, 0, 0, 10, 0x12, 0x34, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
        // A version of Produce that is not served.
        &[0, 0, 0, 10, 0, 0, 0, 99, 0, 0, 0, 1, 0xff, 0xff],
    ];
    for (number, bytes) in cases.iter().enumerate() {
        let mut client = broker.connect();
        client.send_bytes(&mut broker, bytes);
        client.expect_close(&mut broker);
        let counted = broker.region.stats(0).closed_bad_frame.get();
        assert_eq!(counted, number as u64 + 1, "case {number}");
        broker.produce(&mut good, 9, "t", 0, &batch(&[b"x"]));
    }
}

#[test]
fn random_bytes_never_break_a_shard() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut good = broker.connect();
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let records = batch(&[b"abc", b"def"]);
    let template = produce_body(9, 1, &[("t", 0, &records)]);
    for _ in 0..300 {
        let mut client = broker.connect();
        // A header of a served key, then a damaged or random body.
        let key = [0, 1, 2, 3, 10, 18, 19, 20, 21, 22, 23, 60][(random() % 12) as usize];
        let version = (random() % 14) as i16;
        let mut body = template.clone();
        for _ in 0..random() % 8 {
            let at = (random() % body.len() as u64) as usize;
            body[at] = random() as u8;
        }
        body.truncate((random() % (body.len() as u64 + 1)) as usize);
        let key = ApiKey::from_i16(key).unwrap();
        let (_, frame) = client.frame(key, version, &body);
        client.send_bytes(&mut broker, &frame);
        broker.turns(3);
        broker.control.requests.clear();
    }
    broker.until("they are gone", |b| b.shard.connection_count() == 1);
    broker.produce(&mut good, 9, "t", 0, &records);
}

#[test]
fn one_byte_at_a_time_is_slow_and_right() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[&[3; 300]]);
    let body = produce_body(9, 1, &[("t", 0, &records)]);
    let (id, frame) = client.frame(ApiKey::Produce, 9, &body);
    for byte in frame {
        client.send_bytes(&mut broker, &[byte]);
    }
    let body = client.expect(&mut broker, ApiKey::Produce, 9, id);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
}

#[test]
fn deep_pipelining_is_answered_in_order_with_bounded_memory() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let body = produce_body(9, 1, &[("t", 0, &records)]);
    let mut ids = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..500 {
        let (id, frame) = client.frame(ApiKey::Produce, 9, &body);
        ids.push(id);
        bytes.extend_from_slice(&frame);
    }
    client.send_bytes(&mut broker, &bytes);
    for (number, id) in ids.into_iter().enumerate() {
        let body = client.expect(&mut broker, ApiKey::Produce, 9, id);
        let response = ProduceResponse::decode(&body, 9).unwrap();
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!(partition.base_offset, number as i64);
    }
}

#[test]
fn a_client_that_reads_nothing_is_not_read_from_for_ever() {
    let faults = SimFaults {
        capacity_bytes: 4_096,
        ..SimFaults::default()
    };
    let mut broker = Broker::start_with(&[("t", 1)], 3, faults, |_| {});
    let mut greedy = broker.connect();
    let mut request = Vec::new();
    MetadataRequest::default().encode(&mut request, 9).unwrap();
    let mut sent = 0;
    for _ in 0..5_000 {
        let (_, frame) = greedy.frame(ApiKey::Metadata, 9, &request);
        sent += greedy.socket.send(&frame);
        broker.turn();
    }
    // What the network holds, and what a connection may be owed: far from what it wanted to send.
    assert!(
        sent < 64 << 10,
        "took {sent} bytes from a client that reads nothing"
    );
    let mut good = broker.connect();
    broker.produce(&mut good, 9, "t", 0, &batch(&[b"x"]));
    // Once it reads, it is served again.
    let mut answers = 0;
    for _ in 0..2_000 {
        answers += usize::from(greedy.take_frame().is_some());
        broker.turn();
    }
    assert!(answers > 64, "{answers}");
}

#[test]
fn large_frames_are_taken_and_larger_ones_refused() {
    let mut broker = Broker::start_with(&[("t", 1)], 1, SimFaults::default(), |options| {
        options.request_bytes_max = 6 << 20;
    });
    broker.control.topics[0].options = vec![("max.message.bytes".to_owned(), "8000000".to_owned())];
    broker.control.send_image();
    let mut client = broker.connect();
    let value = vec![6; 5 << 20];
    let records = batch(&[&value]);
    let response = broker.produce(&mut client, 9, "t", 0, &records);
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    let value = vec![6; 7 << 20];
    let body = produce_body(9, 1, &[("t", 0, &batch(&[&value]))]);
    client.send(&mut broker, ApiKey::Produce, 9, &body);
    client.expect_close(&mut broker);
    broker.turns(5);
}

#[test]
fn the_limit_holds_and_the_idle_are_closed() {
    let mut broker = Broker::start_with(&[("t", 1)], 1, SimFaults::default(), |options| {
        options.connections_max = 3;
        options.connections_idle_ms_max = 1_500;
    });
    let begun = Instant::now();
    let mut clients: Vec<_> = (0..3).map(|_| broker.connect()).collect();
    broker.until("three", |b| b.shard.connection_count() == 3);
    let mut fourth = broker.connect();
    fourth.expect_close(&mut broker);
    // A parked fetch waits for us: that is not idleness.
    let body = fetch_body(12, 60_000, 1, &[("t", 0, 0)]);
    let id = clients[0].send(&mut broker, ApiKey::Fetch, 12, &body);
    while begun.elapsed() < Duration::from_secs(60) && !clients[1].closed {
        broker.turn();
        clients.iter_mut().for_each(|client| client.poll());
        std::thread::sleep(Duration::from_millis(1));
    }
    broker.until("the idle are gone", |b| b.shard.connection_count() == 1);
    assert!(begun.elapsed() >= Duration::from_millis(1_400));
    assert_eq!(broker.region.stats(0).closed_idle.get(), 2);
    let mut writer = broker.connect();
    broker.produce(&mut writer, 9, "t", 0, &batch(&[b"x"]));
    let body = clients[0].expect(&mut broker, ApiKey::Fetch, 12, id);
    assert!(FetchResponse::decode(&body, 12).is_ok());
}

/// A request that is small and one of many that are long: it is answered before they are, whoever
/// came first, and they have their turns after it.
#[test]
fn who_sends_little_does_not_wait_for_those_who_send_much() {
    const BULK: usize = 20;
    let mut broker = Broker::start(&[("t", 1)]);
    let records = batch(&[&vec![7; 60_000]]);
    let body = produce_body(9, 1, &[("t", 0, &records)]);
    let mut bulk: Vec<_> = (0..BULK).map(|_| broker.connect()).collect();
    for client in &mut bulk {
        // By now it is known to send much.
        broker.call(client, ApiKey::Produce, 9, &body);
    }
    let mut light = broker.connect();
    broker.call(&mut light, ApiKey::ApiVersions, 0, &[]);
    let mut unsent: Vec<Vec<u8>> = Vec::new();
    for client in &mut bulk {
        let mut frame = client.frame(ApiKey::Produce, 9, &body).1;
        let sent = client.socket.send(&frame);
        unsent.push(frame.split_off(sent));
    }
    let frame = light.frame(ApiKey::ApiVersions, 0, &[]).1;
    assert_eq!(light.socket.send(&frame), frame.len());
    let mut answered = 0;
    broker.until("the answer to who sends little", |_| {
        answered += bulk.iter_mut().filter_map(|c| c.take_frame()).count();
        light.take_frame().is_some()
    });
    assert!(answered < BULK / 2, "{answered} had their answers before");
    for (client, unsent) in bulk.iter_mut().zip(&unsent) {
        client.send_bytes(&mut broker, unsent);
    }
    broker.until("the others' answers", |_| {
        answered += bulk.iter_mut().filter_map(|c| c.take_frame()).count();
        answered == BULK
    });
}
