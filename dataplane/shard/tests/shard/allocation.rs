//! The hot path allocates nothing after its first requests.

use crate::harness::{Broker, batch, fetch_body, produce_body, producer_batch};
use crate::quotas::quota;
use crate::unwatched::counted;
use precursor_memory::CountingAllocator;
use precursor_protocol::ApiKey;
use precursor_shm::control::QuotaLimits;
use precursor_transport_port::Wait;
use std::time::Duration;

/// Turns the shard armed while the client works unarmed; calls of the allocator in all turns.
fn counted_turns(broker: &mut Broker, turns: usize) -> u64 {
    let mut total = 0;
    for _ in 0..turns {
        total += counted(|| {
            broker.shard.turn(Wait::AtMost(Duration::ZERO)).unwrap();
        });
        broker.network.advance(Duration::from_micros(1));
    }
    total
}

#[test]
fn produce_and_fetch_hot_and_parked() {
    assert!(CountingAllocator::is_installed());
    let mut broker = Broker::start(&[("t", 1)]);
    let (mut writer, mut reader) = (broker.connect(), broker.connect());
    let records = batch(&[&[1; 100][..]; 1_000]);
    let body = produce_body(9, 1, &[("t", 0, &records)]);
    let mut next = 0;
    let mut round = |broker: &mut Broker| {
        // Parked first, then completed by the append.
        let fetch = fetch_body(12, 60_000, 1, &[("t", 0, next)]);
        let (_, fetch) = reader.frame(ApiKey::Fetch, 12, &fetch);
        assert_eq!(reader.socket.send(&fetch), fetch.len());
        let mut allocations = counted_turns(broker, 3);
        let (_, produce) = writer.frame(ApiKey::Produce, 9, &body);
        assert_eq!(writer.socket.send(&produce), produce.len());
        allocations += counted_turns(broker, 5);
        assert!(reader.take_frame().is_some() && writer.take_frame().is_some());
        // Hot: everything is there.
        let (_, fetch) = reader.frame(ApiKey::Fetch, 12, &fetch_body(12, 0, 1, &[("t", 0, next)]));
        assert_eq!(reader.socket.send(&fetch), fetch.len());
        allocations += counted_turns(broker, 3);
        assert!(reader.take_frame().is_some());
        next += 1_000;
        allocations
    };
    // More than the pool holds, so that extents are in their second life and every list of them has
    // its size. What grows with a log's length, its index, doubles rarely: not within these rounds.
    for _ in 0..650 {
        round(&mut broker);
    }
    let after_warm_up: Vec<u64> = (0..200).map(|_| round(&mut broker)).collect();
    let total: u64 = after_warm_up.iter().sum();
    assert_eq!(
        total, 0,
        "calls of the allocator per round: {after_warm_up:?}"
    );
}

/// Appends and fetches of several connections and partitions, with producers and quotas, while
/// segments roll and checkpoints are written.
#[test]
fn produce_and_fetch_across_rolls_and_checkpoints() {
    const PARTITIONS: i32 = 3;
    assert!(CountingAllocator::is_installed());
    let mut broker = Broker::start(&[("t", PARTITIONS as u32)]);
    let segment = ("segment.bytes".to_owned(), (1 << 20).to_string());
    broker.control.topics[0].options.push(segment);
    // So wide that nobody waits; every request is charged nevertheless.
    let wide = QuotaLimits {
        producer_byte_rate: Some(1e12),
        consumer_byte_rate: Some(1e12),
        request_percentage: Some(1e9),
    };
    broker.control.more = vec![quota("test", wide)];
    broker.publish();
    let mut clients: Vec<_> = (0..PARTITIONS)
        .map(|_| (broker.connect(), broker.connect()))
        .collect();
    let values = [&[1; 100][..]; 1_000];
    let mut next = 0;
    let mut round = |broker: &mut Broker, number: i32| {
        let mut calls = 0;
        for (partition, (writer, reader)) in (0..).zip(&mut clients) {
            let producer = i64::from(partition);
            let records = producer_batch(&values, producer, 0, number * 1_000);
            let body = produce_body(9, 1, &[("t", partition, &records)]);
            let (_, produce) = writer.frame(ApiKey::Produce, 9, &body);
            assert_eq!(writer.socket.send(&produce), produce.len());
            calls += counted_turns(broker, 5);
            let fetch = fetch_body(12, 0, 1, &[("t", partition, next)]);
            let (_, fetch) = reader.frame(ApiKey::Fetch, 12, &fetch);
            assert_eq!(reader.socket.send(&fetch), fetch.len());
            calls += counted_turns(broker, 3);
            assert!(reader.take_frame().is_some() && writer.take_frame().is_some());
        }
        next += 1_000;
        calls
    };
    // Extents come to their second life, connections and windows to their size.
    for number in 0..300 {
        round(&mut broker, number);
    }
    // Twenty rolls of each partition.
    let calls: Vec<u64> = (300..500)
        .map(|number| round(&mut broker, number))
        .collect();
    assert_eq!(
        calls.iter().sum::<u64>(),
        0,
        "calls of the allocator per round: {calls:?}"
    );
}
