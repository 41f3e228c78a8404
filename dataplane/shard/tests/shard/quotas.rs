//! Quotas of clients (KIP-13, KIP-124, KIP-219).

use crate::harness::{Broker, Client, batch, fetch_request, produce_body};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{
    FetchResponse, MetadataRequest, MetadataResponse, ProduceResponse,
};
use precursor_shm::control::{QuotaEntity, QuotaLimits, ToData};
use std::time::{Duration, Instant};

pub fn quota(client_id: &'static str, limits: QuotaLimits) -> ToData<'static> {
    ToData::ClientQuota {
        user: QuotaEntity::Any,
        client_id: QuotaEntity::Name(client_id),
        limits,
    }
}

fn start(limits: QuotaLimits) -> (Broker, Client) {
    let mut broker = Broker::start(&[("t", 1)]);
    broker.control.more = vec![quota("test", limits)];
    broker.publish();
    let client = broker.connect();
    (broker, client)
}

/// Runs what claims something about times, and once more where it does not hold: a machine that
/// stands still in the middle makes any time longer. What is wrong is wrong each time.
fn timed(claim: impl Fn()) {
    for _ in 0..4 {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(&claim)).is_ok() {
            return;
        }
    }
    claim();
}

fn produce(broker: &mut Broker, client: &mut Client, bytes: usize) -> i32 {
    let value = vec![1; bytes];
    let answer = broker.produce(client, 9, "t", 0, &batch(&[&value]));
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    answer.throttle_time_ms
}

#[test]
fn a_produce_over_quota_is_answered_at_once_and_the_next_one_waits() {
    timed(over_quota);
}

fn over_quota() {
    let (mut broker, mut client) = start(QuotaLimits {
        producer_byte_rate: Some(100_000.0),
        ..QuotaLimits::default()
    });
    assert_eq!(produce(&mut broker, &mut client, 50_000), 0, "saved up");
    let began = Instant::now();
    let throttle = produce(&mut broker, &mut client, 80_000);
    assert!((100..=400).contains(&throttle), "{throttle}");
    assert!(began.elapsed().as_millis() < throttle as u128, "at once");
    assert_eq!(broker.region.stats(0).requests_throttled.get(), 1);

    // Another client of the same shard is served meanwhile, and so is one of another id.
    let mut other = broker.connect();
    other.id = "other";
    let muted = Instant::now();
    assert_eq!(produce(&mut broker, &mut other, 80_000), 0);
    assert!(muted.elapsed().as_millis() < throttle as u128);
    // The muted one is not read for as long as it was told. The shard counts from the beginning of
    // its turn, in whole milliseconds.
    produce(&mut broker, &mut client, 10);
    let waited = began.elapsed().as_millis() as i32;
    assert!(waited + 2 >= throttle, "{waited} of {throttle}");
    assert!(waited < throttle + 300, "{waited} of {throttle}");
}

#[test]
fn two_connections_of_one_client_id_share_its_quota() {
    timed(two_connections);
}

fn two_connections() {
    let (mut broker, mut first) = start(QuotaLimits {
        producer_byte_rate: Some(100_000.0),
        ..QuotaLimits::default()
    });
    let mut second = broker.connect();
    assert_eq!(produce(&mut broker, &mut first, 60_000), 0);
    assert!(produce(&mut broker, &mut second, 60_000) > 0);
}

#[test]
fn a_client_that_sends_without_pause_is_held_to_its_rate() {
    timed(sent_without_pause);
}

fn sent_without_pause() {
    const RATE: f64 = 2_000_000.0;
    let (mut broker, mut client) = start(QuotaLimits {
        producer_byte_rate: Some(RATE),
        ..QuotaLimits::default()
    });
    // What was saved up goes first.
    while produce(&mut broker, &mut client, 100_000) == 0 {}
    let stats = |broker: &Broker| broker.region.stats(0).bytes_in.get();
    let (began, before) = (Instant::now(), stats(&broker));
    while began.elapsed() < Duration::from_secs(2) {
        produce(&mut broker, &mut client, 20_000);
    }
    let rate = (stats(&broker) - before) as f64 / began.elapsed().as_secs_f64();
    assert!((rate / RATE - 1.0).abs() < 0.05, "{rate}");
}

#[test]
fn a_client_that_asks_for_no_answer_is_muted_too() {
    let (mut broker, mut client) = start(QuotaLimits {
        producer_byte_rate: Some(100_000.0),
        ..QuotaLimits::default()
    });
    let records = batch(&[&[1; 130_000]]);
    let body = produce_body(9, 0, &[("t", 0, &records)]);
    let began = Instant::now();
    client.send(&mut broker, ApiKey::Produce, 9, &body);
    produce(&mut broker, &mut client, 10);
    assert!(began.elapsed() >= Duration::from_millis(290));
}

fn fetch(broker: &mut Broker, client: &mut Client, id: i32, epoch: i32) -> FetchResponse {
    let partitions: &[(&str, i32, i64)] = if epoch > 0 { &[] } else { &[("t", 0, 0)] };
    let mut request = fetch_request(12, 0, 1, partitions);
    (request.session_id, request.session_epoch) = (id, epoch);
    let mut body = Vec::new();
    request.encode(&mut body, 12).unwrap();
    let body = broker.call(client, ApiKey::Fetch, 12, &body);
    FetchResponse::decode(&body, 12).unwrap()
}

fn fetched(response: &FetchResponse) -> usize {
    let partitions = response.responses.iter().flat_map(|t| &t.partitions);
    partitions
        .filter_map(|p| p.records.as_ref())
        .map(Vec::len)
        .sum()
}

#[test]
fn a_fetch_over_quota_gets_nothing_but_the_time_to_wait() {
    timed(fetch_over_quota);
}

fn fetch_over_quota() {
    let (mut broker, mut client) = start(QuotaLimits {
        consumer_byte_rate: Some(200_000.0),
        ..QuotaLimits::default()
    });
    for _ in 0..4 {
        produce(&mut broker, &mut client, 90_000);
    }
    // A fetch is bounded by what the quota lets pass at once.
    let whole = fetch(&mut broker, &mut client, 0, -1);
    assert_eq!(whole.throttle_time_ms, 0);
    assert!((90_000..=200_000).contains(&fetched(&whole)));
    let session = fetch(&mut broker, &mut client, 0, 0);
    assert_eq!((session.throttle_time_ms, session.error_code), (0, 0));
    assert!(session.session_id != 0 && fetched(&session) > 90_000);

    let began = Instant::now();
    let throttled = fetch(&mut broker, &mut client, session.session_id, 1);
    assert!(throttled.throttle_time_ms > 0);
    assert_eq!(throttled.error_code, 0);
    assert_eq!(throttled.session_id, session.session_id);
    assert!(throttled.responses.is_empty());
    // The session goes on after the wait.
    let after = fetch(&mut broker, &mut client, session.session_id, 2);
    // The shard counts from the beginning of its turn, in whole milliseconds.
    let waited_ms = began.elapsed().as_millis() as i32;
    assert!(waited_ms + 2 >= throttled.throttle_time_ms, "{waited_ms}");
    assert_eq!((after.throttle_time_ms, after.error_code), (0, 0));
    assert!(fetched(&after) > 0);

    // One that would begin a session has none then.
    // On a machine that stands still the client is within its quota for a while.
    let mut asked = (0..20).map(|_| fetch(&mut broker, &mut client, 0, 0));
    let throttled = asked.find(|answer| answer.throttle_time_ms > 0).unwrap();
    assert_eq!(throttled.session_id, 0);
}

#[test]
fn a_consumer_that_asks_without_pause_is_held_to_its_rate() {
    timed(asked_without_pause);
}

fn asked_without_pause() {
    const RATE: f64 = 2_000_000.0;
    let (mut broker, mut client) = start(QuotaLimits {
        consumer_byte_rate: Some(RATE),
        ..QuotaLimits::default()
    });
    produce(&mut broker, &mut client, 50_000);
    while fetch(&mut broker, &mut client, 0, -1).throttle_time_ms == 0 {}
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(2) {
        bytes += fetched(&fetch(&mut broker, &mut client, 0, -1));
    }
    let rate = bytes as f64 / began.elapsed().as_secs_f64();
    assert!((rate / RATE - 1.0).abs() < 0.05, "{rate}");
}

#[test]
fn the_share_of_time_is_bounded_too() {
    let (mut broker, mut client) = start(QuotaLimits {
        request_percentage: Some(0.01),
        ..QuotaLimits::default()
    });
    let request = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, 9).unwrap();
    // A hundredth of a percent of a second is 100 µs of work: some requests, not hundreds.
    let mut throttled = None;
    for number in 0..500 {
        let answer = broker.call(&mut client, ApiKey::Metadata, 9, &body);
        let answer = MetadataResponse::decode(&answer, 9).unwrap();
        assert!(
            answer.throttle_time_ms <= 1_000,
            "no longer than Kafka's bound"
        );
        if answer.throttle_time_ms > 0 {
            throttled = Some(number);
            break;
        }
    }
    assert!(throttled.is_some());
}

#[test]
fn without_a_quota_that_fits_nothing_is_throttled_and_an_image_without_them_ends_all() {
    let (mut broker, mut client) = start(QuotaLimits {
        producer_byte_rate: Some(10_000.0),
        ..QuotaLimits::default()
    });
    let mut other = broker.connect();
    other.id = "other";
    for _ in 0..20 {
        assert_eq!(produce(&mut broker, &mut other, 50_000), 0);
    }
    broker.control.more.clear();
    broker.publish();
    for _ in 0..20 {
        assert_eq!(produce(&mut broker, &mut client, 50_000), 0);
    }
}

#[test]
fn a_client_that_goes_while_it_is_muted_leaves_nothing_behind() {
    timed(gone_while_muted);
}

fn gone_while_muted() {
    let (mut broker, mut client) = start(QuotaLimits {
        producer_byte_rate: Some(100_000.0),
        ..QuotaLimits::default()
    });
    let records = batch(&[&[1; 120_000]]);
    let body = produce_body(9, 1, &[("t", 0, &records)]);
    let id = client.send(&mut broker, ApiKey::Produce, 9, &body);
    let answer = client.expect(&mut broker, ApiKey::Produce, 9, id);
    assert!(
        ProduceResponse::decode(&answer, 9)
            .unwrap()
            .throttle_time_ms
            > 0
    );
    drop(client);
    // It is seen to be gone once it is read again; the timer of its slot meets nobody.
    broker.until("the end", |b| b.shard.connection_count() == 0);
    let mut next = broker.connect();
    next.id = "next";
    assert_eq!(produce(&mut broker, &mut next, 10), 0);
}
