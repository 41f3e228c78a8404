//! What runs inside the machine of `scripts/lab`: producers that write batches into the broker's own
//! memory by RDMA WRITE, and those who read them.

use std::process::Command;
use std::time::{Duration, Instant};

use precursor_client::{Client, ClientOptions, Follower, Record};

use crate::lab::{PATIENCE, run};
use crate::lab_rdma::connect;
use crate::node::{Node, page, wait_until};

const TOPIC: &str = "written";
/// Of one record; two of them are a batch.
const VALUE_BYTES: usize = 170_000;
/// Batches before, and behind, each kill.
const BATCHES: usize = 12;

/// A client that writes into the log's memory, for a broker at this address.
fn writer(address: &str) -> Client {
    let options = ClientOptions {
        request_timeout: PATIENCE,
        reconnect_timeout: PATIENCE,
        write_in_place: true,
        ..ClientOptions::rdma(address)
    };
    Client::connect(options).unwrap_or_else(|error| panic!("{error}"))
}

fn value(number: usize) -> Vec<u8> {
    let mut value: Vec<u8> = (0..VALUE_BYTES)
        .map(|at| (at * 31 / 7 + number) as u8)
        .collect();
    value[..8].copy_from_slice(&(number as u64).to_le_bytes());
    value
}

/// Two records as one batch; their offsets are their numbers.
fn produce(client: &mut Client, from: usize) {
    let values = [value(from), value(from + 1)];
    let records = values.each_ref().map(|value| Record {
        value: Some(&value[..]),
        ..Record::default()
    });
    let first = client.produce_batch(TOPIC, 0, &records);
    assert_eq!(first.unwrap_or_else(|error| panic!("{error}")), from as i64);
}

/// A number that all shards have counted.
fn counted(port: u16, name: &str) -> u64 {
    let (_, metrics) = page(port, "/metrics").expect("the metrics");
    let of = |line: &str| {
        let (key, number) = line.rsplit_once(' ')?;
        let key = key.split('{').next()?;
        (key.ends_with(&format!("_{name}_total"))).then(|| number.parse::<f64>().ok())?
    };
    let found: Vec<f64> = metrics.lines().filter_map(of).collect();
    assert!(!found.is_empty(), "no {name} in {metrics}");
    found.iter().sum::<f64>() as u64
}

/// Reads everything by a follower; each must be the next.
fn read(address: &str, end: usize) {
    let (mut client, mut follower) = (connect(address), Follower::new(TOPIC, 0, 0));
    let start = Instant::now();
    while follower.offset() < end as i64 {
        let next = follower.offset();
        let fetched = follower.poll(&mut client, Duration::from_secs(1));
        let fetched = fetched.unwrap_or_else(|error| panic!("{error}"));
        for (offset, record) in (next..).zip(&fetched.records) {
            assert_eq!(record.offset, offset, "in order, none twice");
            let held = record.value.as_deref() == Some(&value(offset as usize)[..]);
            assert!(held, "another value at {offset}");
        }
        assert!(start.elapsed() < PATIENCE, "{next} of {end}");
    }
    assert_eq!(follower.offset(), end as i64);
}

/// And by kcat over kernel sockets.
fn kcat_reads(node: &Node, end: usize) {
    let (address, count) = (node.address().to_string(), end.to_string());
    let words = [
        "-C",
        "-t",
        TOPIC,
        "-o",
        "beginning",
        "-c",
        &count,
        "-q",
        "-D",
        "",
    ];
    let mut command = Command::new("kcat");
    command.args(["-m", "60", "-b", &address]).args(words);
    let expected: Vec<u8> = (0..end).flat_map(value).collect();
    assert!(run(&mut command, b"") == expected, "kcat reads the same");
}

/// All of it, on a broker that serves its metrics at this port.
pub(crate) fn batches_are_written_in_place(node: &Node, client: &mut Client, metrics_port: u16) {
    let address = node.address().to_string();
    client.create_topic(TOPIC, 1).expect("a topic");
    let mut writer = writer(&address);
    for number in 0..BATCHES {
        produce(&mut writer, 2 * number);
    }
    let counts = writer.write_counts();
    println!("batches written in place: {counts:?}");
    assert_eq!((counts.batches, counts.taken_back), (BATCHES as u64, 0));
    let all = (2 * BATCHES * VALUE_BYTES) as u64;
    assert!(counts.bytes > all, "{all}");
    let published = || {
        counted(metrics_port, "batches_written_in_place") == BATCHES as u64
            && counted(metrics_port, "bytes_written_in_place") == counts.bytes
    };
    assert!(
        wait_until(PATIENCE, published),
        "the broker counts the same"
    );
    assert_eq!(counted(metrics_port, "batches_written_copied"), 0);
    read(&address, 2 * BATCHES);
    kcat_reads(node, 2 * BATCHES);
    two_writers_take_turns(&address, metrics_port);
}

/// Whoever comes second finds that the log went on, and is copied; none is lost, none comes twice.
fn two_writers_take_turns(address: &str, metrics_port: u16) {
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let mut writer = writer(address);
            std::thread::spawn(move || {
                let values = [value(1), value(2)];
                let records = values.each_ref().map(|value| Record {
                    value: Some(&value[..]),
                    ..Record::default()
                });
                let produce = |_| {
                    let first = writer.produce_batch("both", 0, &records);
                    first.unwrap_or_else(|error| panic!("{error}"))
                };
                (0..BATCHES).map(produce).collect::<Vec<i64>>()
            })
        })
        .collect();
    let offsets = threads
        .into_iter()
        .flat_map(|thread| thread.join().expect("a writer"));
    let mut offsets: Vec<i64> = offsets.collect();
    offsets.sort_unstable();
    let expected: Vec<i64> = (0..2 * BATCHES as i64).map(|n| 2 * n).collect();
    assert_eq!(offsets, expected, "each once");
    let (mut client, mut next) = (connect(address), 0);
    while next < 4 * BATCHES as i64 {
        let fetched = client
            .fetch("both", 0, next, Duration::from_secs(1))
            .expect("records");
        for record in fetched.records {
            let number = 1 + record.offset as usize % 2;
            assert!(record.value.as_deref() == Some(&value(number)[..]));
            next = record.offset + 1;
        }
    }
    let copied = counted(metrics_port, "batches_written_copied");
    println!(
        "two writers at once: {copied} of {} were copied",
        2 * BATCHES
    );
}

/// What was acknowledged before a kill of the data plane is there after it, in order and once; what
/// was only lent is nobody's.
pub(crate) fn what_was_written_outlives_a_kill(node: &mut Node, client: &mut Client) {
    let address = node.address().to_string();
    let mut writer = writer(&address);
    for number in BATCHES..2 * BATCHES {
        produce(&mut writer, 2 * number);
    }
    node.kill_dataplane();
    let serves = || client.offsets(TOPIC, 0).is_ok();
    assert!(
        wait_until(PATIENCE, serves),
        "it never came back:\n{}",
        node.log()
    );
    let (_, end) = client.offsets(TOPIC, 0).expect("its topic");
    assert_eq!(end, 4 * BATCHES as i64);
    read(&address, 4 * BATCHES);
    let mut writer = self::writer(&address);
    produce(&mut writer, 4 * BATCHES);
    read(&address, 4 * BATCHES + 2);
    println!(
        "what was written in place outlived a kill: {:?}",
        writer.write_counts()
    );
}
