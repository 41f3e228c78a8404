//! Requests that the control plane answers, and its deaths.

use crate::harness::{Broker, batch};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{ApiVersionsRequest, DescribeClusterRequest};

fn describe_cluster() -> Vec<u8> {
    let mut body = Vec::new();
    DescribeClusterRequest::default()
        .encode(&mut body, 0)
        .unwrap();
    body
}

/// A response frame as the control plane would write it.
fn response(correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = correlation_id.to_be_bytes().to_vec();
    frame.push(0);
    frame.extend_from_slice(body);
    frame
}

#[test]
fn requests_and_answers_pass_in_fragments_and_in_order() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let versions = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..ApiVersionsRequest::default()
    };
    let mut body = Vec::new();
    versions.encode(&mut body, 3).unwrap();
    broker.call(&mut client, ApiKey::ApiVersions, 3, &body);
    let mut long = describe_cluster();
    long.extend_from_slice(&[5; 100_000]);
    let first = client.send(&mut broker, ApiKey::DescribeCluster, 0, &long);
    let second = client.send(&mut broker, ApiKey::DescribeCluster, 0, &describe_cluster());
    broker.until("both requests", |b| b.control.requests.len() == 2);
    assert!(broker.control.requests[0].1.ends_with(&[5; 100_000]));
    assert!(broker.control.origin.ends_with("PLAINTEXT User:ANONYMOUS"));
    assert_eq!(broker.control.software, "test 1");
    let tokens: Vec<u64> = broker.control.requests.iter().map(|r| r.0).collect();
    // The second is answered first, and leaves second.
    let body = vec![7; 5_000];
    broker
        .control
        .answer(tokens[1], &response(second, b"second"));
    broker.turns(20);
    assert!(client.take_frame().is_none());
    broker.control.answer(tokens[0], &response(first, &body));
    let got = client.expect(&mut broker, ApiKey::DescribeCluster, 0, first);
    assert_eq!(got, body);
    let got = client.expect(&mut broker, ApiKey::DescribeCluster, 0, second);
    assert_eq!(got, b"second");
    // An answer to nobody is nobody's.
    broker.control.answer(tokens[0], b"late");
    broker.control.answer(12345, b"never asked");
    broker.turns(20);
    broker.produce(&mut client, 9, "t", 0, &batch(&[b"x"]));
}

#[test]
fn a_dead_control_plane_takes_its_requests_with_it_and_nothing_else() {
    let mut broker = Broker::start(&[("t", 1)]);
    let (mut asking, mut working) = (broker.connect(), broker.connect());
    asking.send(&mut broker, ApiKey::DescribeCluster, 0, &describe_cluster());
    broker.until("the request", |b| b.control.requests.len() == 1);
    broker.control.alive = false;
    for _ in 0..10 {
        broker.produce(&mut working, 9, "t", 0, &batch(&[b"x"]));
        let response = broker.fetch(&mut working, 12, "t", 0, 0);
        assert_eq!(response.responses[0].partitions[0].error_code, 0);
    }
    assert!(!asking.closed, "its request waits");
    broker.control.alive = true;
    broker.control.restart();
    asking.expect_close(&mut broker);
    broker.produce(&mut working, 9, "t", 0, &batch(&[b"x"]));
    assert_eq!(broker.control.hellos, 2);
    assert_eq!(broker.control.applied, broker.control.version);
}

#[test]
fn a_refused_request_ends_its_connection() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    client.send(&mut broker, ApiKey::DescribeCluster, 0, &describe_cluster());
    broker.until("the request", |b| b.control.requests.len() == 1);
    let token = broker.control.requests[0].0;
    broker.control.refuse(token);
    client.expect_close(&mut broker);
}

#[test]
fn the_control_plane_hears_of_a_connection_that_went_away_asking() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    client.send(&mut broker, ApiKey::DescribeCluster, 0, &describe_cluster());
    broker.until("the request", |b| b.control.requests.len() == 1);
    client.socket.reset();
    broker.until("word of it", |b| b.control.closed.len() == 1);
    let token = broker.control.requests[0].0;
    broker.control.answer(token, b"too late");
    broker.turns(10);
}

#[test]
fn more_requests_than_the_ring_holds_wait_and_arrive() {
    let mut broker = Broker::start(&[]);
    broker.control.alive = false;
    let mut clients: Vec<_> = (0..8).map(|_| broker.connect()).collect();
    let mut body = describe_cluster();
    body.extend_from_slice(&vec![1; 400_000]);
    for client in &mut clients {
        client.send(&mut broker, ApiKey::DescribeCluster, 0, &body);
    }
    assert!(broker.control.requests.is_empty());
    broker.control.alive = true;
    broker.until("all requests", |b| b.control.requests.len() == 8);
}
