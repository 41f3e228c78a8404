//! What runs inside the machine of `scripts/lab`: consumers that read the broker's own memory by RDMA
//! READ, without a request.

use std::time::{Duration, Instant};

use precursor_client::{Client, Follower, Record};

use crate::lab::PATIENCE;
use crate::lab_rdma::connect;
use crate::node::{Node, page};

/// `rdma.access.timeout.ms` of these brokers.
pub(crate) const TIMEOUT_MS: u64 = 6_000;
/// Records of the topic that is followed; most of them in batches.
const RECORDS: usize = 4_000;
const BATCH: usize = 80;

/// All of it, on a broker that serves its metrics at this port.
pub(crate) fn records_are_followed(node: &Node, client: &mut Client, metrics_port: u16) {
    let address = node.address().to_string();
    client.create_topic("followed", 2).expect("a topic");
    for partition in 0..2 {
        follow_while_producing(&address, partition);
    }
    nothing_is_asked_meanwhile(&address, client, metrics_port);
    what_is_held_too_long_is_taken_back(&address, client);
    a_topic_that_is_deleted_ends(node, client);
}

fn value(number: usize) -> Vec<u8> {
    // Of every length up to more than the smallest extent.
    let length = 8
        + number * 37 % 3_000
        + if number.is_multiple_of(500) {
            40_000
        } else {
            0
        };
    let mut value = vec![number as u8; length];
    value[..8].copy_from_slice(&(number as u64).to_le_bytes());
    value
}

fn produce(client: &mut Client, partition: i32, from: usize, count: usize) {
    let values: Vec<Vec<u8>> = (from..from + count).map(value).collect();
    let record = |value| Record {
        value: Some(value),
        ..Record::default()
    };
    let records: Vec<Record<'_>> = values.iter().map(|value| record(&value[..])).collect();
    let first = client.produce_batch("followed", partition, &records);
    assert_eq!(first.expect("a batch"), from as i64);
}

/// Reads up to so many records; each must be the next.
fn read(follower: &mut Follower, client: &mut Client, end: usize) {
    let start = Instant::now();
    while follower.offset() < end as i64 {
        let next = follower.offset();
        let fetched = follower.poll(client, Duration::from_secs(1));
        let fetched = fetched.unwrap_or_else(|error| panic!("{error}"));
        for (offset, record) in (next..).zip(&fetched.records) {
            assert_eq!(record.offset, offset, "in order, none twice");
            let held = record.value.as_deref() == Some(&value(offset as usize)[..]);
            assert!(held, "another value at {offset}");
        }
        assert_eq!(fetched.next_offset, next + fetched.records.len() as i64);
        assert!(start.elapsed() < PATIENCE, "{next} of {end}");
    }
}

fn follow_while_producing(address: &str, partition: i32) {
    let mut producer = connect(address);
    let writer = std::thread::spawn(move || {
        for from in (0..RECORDS).step_by(BATCH) {
            produce(&mut producer, partition, from, BATCH);
        }
    });
    let (mut client, mut follower) = (connect(address), Follower::new("followed", partition, 0));
    read(&mut follower, &mut client, RECORDS);
    writer.join().expect("the producer");
    let counts = follower.counts();
    println!("partition {partition} was followed: {counts:?}");
    let all: usize = (0..RECORDS).map(|n| value(n).len()).sum();
    let half = all as u64 / 2;
    assert!(
        counts.read_bytes > half && counts.granted > 2,
        "of {all} bytes"
    );
    assert_eq!(counts.taken_back, 0);
}

/// What the shards have counted of requests and of bytes that they received and sent.
fn work(port: u16) -> Vec<String> {
    let (_, metrics) = page(port, "/metrics").expect("the metrics");
    let counts = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let names = [
            "_fetch_requests_total",
            "_produce_requests_total",
            "_network_bytes_in_total",
        ];
        names.iter().any(|end| name.ends_with(end))
    };
    let lines: Vec<String> = metrics.lines().filter(counts).map(str::to_owned).collect();
    assert!(lines.len() >= 3, "{metrics}");
    lines
}

/// A follower that looks on and on asks its broker for nothing; and a record comes to it so.
fn nothing_is_asked_meanwhile(address: &str, client: &mut Client, metrics_port: u16) {
    let mut reader = connect(address);
    let mut follower = Follower::new("followed", 0, RECORDS as i64);
    // A record in memory, behind which it looks.
    produce(client, 0, RECORDS, 1);
    read(&mut follower, &mut reader, RECORDS + 1);
    let empty = follower
        .poll(&mut reader, Duration::from_millis(100))
        .expect("nothing");
    assert!(empty.records.is_empty());
    let (before, counts) = (work(metrics_port), follower.counts());
    for _ in 0..5 {
        let empty = follower
            .poll(&mut reader, Duration::from_millis(300))
            .expect("nothing");
        assert!(empty.records.is_empty());
    }
    let (after, looked) = (work(metrics_port), follower.counts().looks - counts.looks);
    assert_eq!(before, after, "{looked} looks are no work for the broker");
    assert!(looked > 20, "{looked}");
    produce(client, 0, RECORDS + 1, 1);
    read(&mut follower, &mut reader, RECORDS + 2);
    let now = follower.counts();
    assert_eq!((now.asked, now.fetches), (counts.asked, counts.fetches));
    println!("{looked} looks were no work for the broker, and brought the record that came");
}

/// Who does not go on from an extent loses it, and none of the records.
fn what_is_held_too_long_is_taken_back(address: &str, client: &mut Client) {
    let mut reader = connect(address);
    let mut follower = Follower::new("followed", 1, RECORDS as i64);
    produce(client, 1, RECORDS, 1);
    read(&mut follower, &mut reader, RECORDS + 1);
    let before = follower.counts();
    // More than the largest extent, so that the one that is held is passed.
    for from in (RECORDS + 1..RECORDS + 2_001).step_by(BATCH) {
        produce(client, 1, from, BATCH);
    }
    std::thread::sleep(Duration::from_millis(TIMEOUT_MS + 2_500));
    read(&mut follower, &mut reader, RECORDS + 2_001);
    let counts = follower.counts();
    assert_eq!(counts.taken_back, before.taken_back + 1, "{counts:?}");
    assert!(
        counts.granted > before.granted,
        "and it was lent more: {counts:?}"
    );
    println!("what was held too long was taken back, and no record lost: {counts:?}");
}

fn a_topic_that_is_deleted_ends(node: &Node, client: &mut Client) {
    client.create_topic("short", 1).expect("a topic");
    client.produce("short", 0, None, b"only").expect("a record");
    let mut reader = connect(&node.address().to_string());
    let mut follower = Follower::new("short", 0, 0);
    let wait = Duration::from_millis(500);
    while follower.offset() < 1 {
        follower.poll(&mut reader, wait).expect("its record");
    }
    let start = Instant::now();
    // It fetches until it is lent something.
    while follower.counts().granted == 0 {
        follower.poll(&mut reader, wait).expect("nothing more");
        let counts = follower.counts();
        assert!(start.elapsed() < PATIENCE, "never lent: {counts:?}");
    }
    node.connect().delete_topic("short").expect("it is deleted");
    let start = Instant::now();
    let end = loop {
        match follower.poll(&mut reader, wait) {
            Ok(fetched) => assert!(fetched.records.is_empty()),
            Err(error) => break error.to_string(),
        }
        assert!(start.elapsed() < PATIENCE, "it is followed on");
    };
    assert!(end.contains("UNKNOWN_TOPIC"), "{end}");
    println!("a topic that is deleted ends for who follows it: {end}");
}
