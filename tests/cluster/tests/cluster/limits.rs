//! Many connections, many partitions, and the limits that are set.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::load;
use precursor_tests_cluster::node::{Node, wait_until};
use precursor_tests_cluster::proc;

fn all_memory(node: &Node) -> u64 {
    let pid = node.dataplane_pid().unwrap();
    let resident = proc::resident(pid, &node.region_dir().display().to_string()).unwrap();
    resident.apart + resident.other
}

fn raise_descriptor_limit(wanted: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, wanted.max(hard), wanted.max(hard))
        .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard))
        .unwrap();
}

#[test]
fn ten_thousand_idle_connections() {
    raise_descriptor_limit(12_000);
    let node = Node::start(&[]);
    let mut one = node.connect();
    one.create_topic("busy", 1, &[]).unwrap();
    one.produce("busy", 0, &[b"first".to_vec()]).unwrap();
    let before = all_memory(&node);
    let mut idle = Vec::new();
    for n in 0..10_000 {
        let mut connection = Connection::open(node.address())
            .unwrap_or_else(|error| panic!("connection {n}: {error}"));
        connection
            .api_versions()
            .unwrap_or_else(|error| panic!("connection {n}: {error}"));
        idle.push(connection);
    }
    let each = (all_memory(&node).saturating_sub(before)) / idle.len() as u64;
    println!("memory of an idle connection that has asked once: {each} bytes in the broker");
    assert!(each <= 8192, "{each} bytes a connection");
    // A crowded machine spoils one measurement, not each.
    let is_quick = (0..5).any(|_| {
        let mut times: Vec<_> = (0..200)
            .map(|_| {
                let asked = Instant::now();
                one.produce("busy", 0, &[b"still served".to_vec()]).unwrap();
                asked.elapsed()
            })
            .collect();
        times.sort();
        println!(
            "produce beside them: p50 {:?}, p99 {:?}",
            times[100], times[198]
        );
        times[198] < Duration::from_millis(50)
    });
    assert!(is_quick, "a produce beside them takes over 50 ms");
    for connection in idle.iter_mut().step_by(997) {
        connection.api_versions().unwrap();
    }
}

#[test]
fn a_thousand_partitions() {
    let mut node = Node::start(&["dataplane.shards=2"]);
    let mut connection = node.connect();
    let before = all_memory(&node);
    let started = Instant::now();
    connection.create_topic("wide", 1000, &[]).unwrap();
    let created = started.elapsed();
    for partition in 0..1000 {
        let value = format!("record of {partition}").into_bytes();
        assert_eq!(connection.produce("wide", partition, &[value]).unwrap(), 0);
    }
    let each = all_memory(&node).saturating_sub(before) / 1000;
    println!("1,000 partitions created in {created:?}, {each} bytes each with one record");
    assert!(created < Duration::from_secs(5), "{created:?}");
    for restart in 0..2 {
        for partition in 0..1000 {
            let fetched = connection.fetch_when_open("wide", partition, 0);
            assert_eq!(
                fetched.records[0].value,
                format!("record of {partition}").into_bytes()
            );
        }
        if restart == 0 {
            assert!(node.stop().success());
            node.serve();
            connection = node.connect();
        }
    }
}

/// Whether the broker has ended a connection.
fn ended(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    match stream.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn connections_over_the_limit_are_ended_and_the_others_live() {
    let node = Node::start(&["connections.max=50"]);
    let mut first: Vec<Connection> = (0..50).map(|_| node.connect()).collect();
    for connection in &mut first {
        connection.api_versions().unwrap();
    }
    for _ in 0..20 {
        let mut over = TcpStream::connect(node.address()).unwrap();
        assert!(
            wait_until(Duration::from_secs(20), || ended(&mut over)),
            "the 51st is ended"
        );
    }
    for connection in &mut first {
        connection.api_versions().unwrap();
    }
    first.truncate(40);
    let again = wait_until(Duration::from_secs(20), || {
        Connection::open(node.address()).is_ok_and(|mut c| c.api_versions().is_ok())
    });
    assert!(again, "there is room again when others have gone");
}

#[test]
fn idle_connections_are_ended_and_busy_ones_are_not() {
    let node = Node::start(&["connections.max.idle.ms=1000"]);
    let started = Instant::now();
    let mut idle = TcpStream::connect(node.address()).unwrap();
    let mut after_one_request = node.connect();
    after_one_request.api_versions().unwrap();
    let mut busy = node.connect();
    let mut idle_ended = None;
    let mut other_ended = None;
    while started.elapsed() < Duration::from_secs(4) {
        busy.api_versions().expect("a busy connection is kept");
        if idle_ended.is_none() && ended(&mut idle) {
            idle_ended = Some(started.elapsed());
        }
        if other_ended.is_none() && ended(after_one_request.stream()) {
            other_ended = Some(started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    for when in [idle_ended, other_ended] {
        let when = when.expect("an idle connection is ended");
        assert!(when > Duration::from_millis(800), "{when:?} is too early");
    }
}

#[test]
fn a_parked_fetch_is_no_idle_connection() {
    let node = Node::start(&["connections.max.idle.ms=1000"]);
    node.connect().create_topic("parked", 1, &[]).unwrap();
    let mut waiting = node.connect();
    let fetched = waiting
        .fetch("parked", 0, 0, 3000)
        .expect("a fetch may wait longer");
    assert!(fetched.records.is_empty());
}

#[test]
fn memory_pressure_slows_producers_and_loses_nothing() {
    // 16 MiB of extents, and far more than that written.
    let node = Node::start(&["memory.region.bytes=67108864"]);
    node.connect().create_topic("pressure", 4, &[]).unwrap();
    let writers: Vec<_> = (0..4)
        .map(|partition| {
            load::write(
                node.address(),
                load::Writing {
                    topic: "pressure".to_owned(),
                    partition,
                    idempotent: true,
                    acks: -1,
                    filler_bytes: 4000,
                    pause: Duration::ZERO,
                },
            )
        })
        .collect();
    // 20,000 records of 4 kB on each of four partitions: 320 MB.
    for writer in &writers {
        let enough = wait_until(Duration::from_secs(60), || writer.progress() >= 20_000);
        assert!(
            enough,
            "writers get on under memory pressure, but stand at {}",
            writer.progress()
        );
    }
    let written: Vec<_> = writers.into_iter().map(load::Running::finish).collect();
    let resident = all_memory(&node);
    assert!(
        resident < 160 << 20,
        "{resident} bytes with a 64 MiB region"
    );
    for (partition, written) in written.iter().enumerate() {
        assert_eq!(
            (written.disconnections, written.refusals.len()),
            (0, 0),
            "{partition}"
        );
        let stored = load::read_whole(&mut node.connect(), "pressure", partition as i32);
        load::check(&stored, written, true);
    }
}
