//! The measurement against its own null target, in this process.

use std::net::{Ipv4Addr, TcpListener};

use clap::Parser;

use super::server::Answers;
use super::*;
use crate::arguments::{Arguments, Command};

fn arguments(words: &str) -> BenchArguments {
    let words = ["precursor", "bench"].into_iter().chain(words.split(' '));
    let Command::Bench(mut parsed) = Arguments::parse_from(words).command else {
        panic!("bench was asked for");
    };
    parsed.batch_records = parsed.batch_records_asked.unwrap_or(10);
    parsed
}

/// A target within this process; its thread ends with the test.
fn target(kind: Kind, arguments: &BenchArguments) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Answers::new(arguments);
    std::thread::spawn(move || server::accept(&listener, kind, false, &answers));
    Target::at(address, kind, std::process::id())
}

#[test]
fn produce_counts_every_record_once() {
    let arguments = arguments("produce --records 100000 --connections 3 --in-flight 7");
    let target = target(Kind::Null, &arguments);
    let measured = measure(Kind::Produce, &target, &arguments).unwrap();
    // Rounded up to whole batches on each of the three connections.
    assert_eq!(measured.records, 3334 * 10 * 3);
    assert_eq!(measured.requests, 3334 * 3);
    assert_eq!(measured.latencies.to_json()["count"], 3334 * 3);
    assert!(measured.cpu[0].1 > 0.0);
}

#[test]
fn fetch_counts_what_the_batches_say() {
    let arguments = arguments("fetch --records 200 --fetch-bytes 20000");
    let target = target(Kind::Null, &arguments);
    let measured = measure(Kind::Fetch, &target, &arguments).unwrap();
    assert_eq!(measured.requests, 20);
    let batch = wire::batch_of(10, 100).len() as u64;
    assert_eq!(measured.bytes, 20 * (20_000 / batch) * batch);
    assert_eq!(measured.records, 20 * (20_000 / batch) * 10);
}

#[test]
fn an_open_loop_keeps_its_rate_and_blames_the_slow() {
    let slow = arguments("produce --rate 20000 --seconds 0.5 --warmup 0.1");
    let target = target(Kind::Null, &slow);
    let measured = measure(Kind::Produce, &target, &slow).unwrap();
    let rate = measured.records as f64 / measured.seconds;
    assert!((10_000.0..22_000.0).contains(&rate), "{rate}");
    // Far more than one connection can carry with one in flight: the queue's wait must show.
    let rushed = arguments("produce --rate 1e12 --in-flight 1 --seconds 0.3 --warmup 0");
    let measured = measure(Kind::Produce, &target, &rushed).unwrap();
    assert!(measured.latencies.quantile_us(0.99) > 100_000.0);
}

#[test]
fn round_trips_are_measured() {
    let arguments = arguments("latency --seconds 0.1 --warmup 0 --batch-records 1");
    for (kind, what) in [(Kind::Null, Kind::Latency), (Kind::Echo, Kind::Echo)] {
        let target = target(kind, &arguments);
        let measured = measure(what, &target, &arguments).unwrap();
        assert!(measured.requests > 10);
        let p50 = measured.latencies.quantile_us(0.5);
        assert!((0.5..50_000.0).contains(&p50), "{p50}");
    }
}

/// The rest before a round trip is no part of it.
#[test]
fn an_echo_rests_as_long_as_it_is_asked_to() {
    let rest = Duration::from_millis(20);
    let mut arguments = arguments("latency --warmup 0 --batch-records 1");
    arguments.records = Some(10);
    let target = target(Kind::Echo, &arguments);
    let measured = latency::echo(&target, &arguments, rest).unwrap();
    assert_eq!(measured.requests, 10);
    assert!(measured.seconds >= 0.2, "{}", measured.seconds);
    let fastest = measured.latencies.quantile_us(0.1);
    assert!(fastest < 20_000.0, "{fastest}");
}

#[test]
fn a_target_that_goes_away_is_said() {
    let arguments = arguments("produce --seconds 0.2");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || drop(listener.accept()));
    let target = Target::at(address, Kind::Null, std::process::id());
    let failure = measure(Kind::Produce, &target, &arguments).unwrap_err();
    assert!(failure.sentence.contains("went away"), "{failure}");
}
