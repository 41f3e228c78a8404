//! Fetch sessions over the wire (KIP-227).

use crate::harness::{Broker, Client, batch, fetch_request};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{FetchRequest, FetchResponse, fetch_request::ForgottenTopic};

fn call(broker: &mut Broker, client: &mut Client, request: &FetchRequest) -> FetchResponse {
    let mut body = Vec::new();
    request.encode(&mut body, 12).unwrap();
    let body = broker.call(client, ApiKey::Fetch, 12, &body);
    FetchResponse::decode(&body, 12).unwrap()
}

fn session_request(id: i32, epoch: i32, partitions: &[(&str, i32, i64)]) -> FetchRequest {
    FetchRequest {
        session_id: id,
        session_epoch: epoch,
        ..fetch_request(12, 0, 1, partitions)
    }
}

/// Topic, partition and record bytes of everything in a response.
fn told(response: &FetchResponse) -> Vec<(String, i32, usize)> {
    let topics = response.responses.iter();
    topics
        .flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                let bytes = partition.records.as_ref().map_or(0, Vec::len);
                (topic.topic.clone(), partition.partition_index, bytes)
            })
        })
        .collect()
}

#[test]
fn a_session_tells_changes_only() {
    let mut broker = Broker::start(&[("a", 2), ("b", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let length = records.len();
    let all = [("a", 0, 0), ("a", 1, 0), ("b", 0, 0)];
    let full = call(&mut broker, &mut client, &session_request(0, 0, &all));
    let id = full.session_id;
    assert_ne!(id, 0);
    assert_eq!(told(&full).len(), 3, "a new session tells everything");

    let quiet = call(&mut broker, &mut client, &session_request(id, 1, &[]));
    assert_eq!((quiet.session_id, told(&quiet).len()), (id, 0));

    broker.produce(&mut client, 9, "a", 1, &records);
    let news = call(&mut broker, &mut client, &session_request(id, 2, &[]));
    assert_eq!(told(&news), [("a".to_owned(), 1, length)]);

    // The consumer moves on: with the new offset there is nothing to tell.
    let quiet = call(
        &mut broker,
        &mut client,
        &session_request(id, 3, &[("a", 1, 1)]),
    );
    assert_eq!(told(&quiet), []);

    // Forgotten partitions are told no more.
    let mut request = session_request(id, 4, &[]);
    request.forgotten_topics_data = vec![ForgottenTopic {
        topic: "a".to_owned(),
        partitions: vec![0, 1],
        ..ForgottenTopic::default()
    }];
    call(&mut broker, &mut client, &request);
    broker.produce(&mut client, 9, "a", 0, &records);
    broker.produce(&mut client, 9, "b", 0, &records);
    let news = call(&mut broker, &mut client, &session_request(id, 5, &[]));
    assert_eq!(told(&news), [("b".to_owned(), 0, length)]);

    let stale = call(&mut broker, &mut client, &session_request(id, 5, &[]));
    assert_eq!(stale.error_code, ErrorCode::InvalidFetchSessionEpoch.code());
    let unknown = call(&mut broker, &mut client, &session_request(id ^ 77, 1, &[]));
    assert_eq!(unknown.error_code, ErrorCode::FetchSessionIdNotFound.code());
    // Ended by the client.
    call(&mut broker, &mut client, &session_request(id, -1, &[]));
    let gone = call(&mut broker, &mut client, &session_request(id, 6, &[]));
    assert_eq!(gone.error_code, ErrorCode::FetchSessionIdNotFound.code());
}

#[test]
fn a_session_survives_its_connection_even_with_a_fetch_parked_in_it() {
    let mut broker = Broker::start(&[("a", 1)]);
    let mut client = broker.connect();
    let full = call(
        &mut broker,
        &mut client,
        &session_request(0, 0, &[("a", 0, 0)]),
    );
    let id = full.session_id;
    let mut request = session_request(id, 1, &[]);
    request.max_wait_ms = 60_000;
    let mut body = Vec::new();
    request.encode(&mut body, 12).unwrap();
    client.send(&mut broker, ApiKey::Fetch, 12, &body);
    broker.turns(10);
    client.socket.reset();
    broker.until("the connection's end", |b| b.shard.connection_count() == 0);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    broker.produce(&mut client, 9, "a", 0, &records);
    let news = call(&mut broker, &mut client, &session_request(id, 2, &[]));
    assert_eq!(told(&news), [("a".to_owned(), 0, records.len())]);
}

#[test]
fn a_full_answer_does_not_starve_the_last_partitions() {
    let mut broker = Broker::start(&[("a", 4)]);
    let mut client = broker.connect();
    let records = batch(&[&[1; 500]]);
    for partition in 0..4 {
        for _ in 0..10 {
            broker.produce(&mut client, 9, "a", partition, &records);
        }
    }
    let all = [("a", 0, 0), ("a", 1, 0), ("a", 2, 0), ("a", 3, 0)];
    let mut request = session_request(0, 0, &all);
    request.max_bytes = records.len() as i32;
    let mut served = std::collections::BTreeSet::new();
    let mut id = 0;
    for epoch in 0..4 {
        request.session_id = id;
        request.session_epoch = epoch;
        let response = call(&mut broker, &mut client, &request);
        id = response.session_id;
        served.extend(told(&response).iter().filter(|t| t.2 > 0).map(|t| t.1));
        request.topics.clear();
    }
    assert_eq!(served.len(), 4, "each partition had its turn");
}
