//! A broker whose clients come past the kernel, by AF_XDP on a veth pair.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use precursor_tests_cluster::batch::StoredRecord;
use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::node::{Node, precursor, wait_until};
use precursor_tests_cluster::proc;

use crate::wire::{
    BROKER, BROKER_PORT, KERNEL, lines, logged, node_on, run, shown, shown_here, text, wire,
    wire_of,
};

#[test]
fn unmodified_clients_are_served_past_the_kernel() {
    let host_before = shown_here();
    let wire = wire();
    let near_before = shown(|words| wire.near.ip(words));
    let mut node = node_on(&wire, &["network.driver=afxdp"]);
    node.serve();
    assert_eq!(node.address().to_string(), "10.0.0.2:9092");
    assert!(
        logged(&node, "AF_XDP on near (veth): native mode"),
        "{}",
        node.log()
    );
    assert!(wire.near.ip(&["link", "show", "near"]).contains("xdp"));

    let program = precursor();
    let cli = program.get_program().to_str().expect("a plain path");
    let bootstrap = "10.0.0.2:9092";
    let create = [
        "topic",
        "create",
        "lines",
        "--partitions",
        "1",
        "--bootstrap",
        bootstrap,
    ];
    run(&wire, cli, &create, b"");

    // The kernel's own address on the interface answers all the while.
    let mut ping = wire.far.command("ping");
    let ping = ping.args(["-q", "-i", "0.05", "-c", "60", "-w", "20", KERNEL]);
    let ping = ping.stdout(Stdio::piped()).spawn().expect("ping");

    let (first, second) = (lines(0, 20_000), lines(20_000, 20_000));
    run(
        &wire,
        "kcat",
        &["-P", "-b", bootstrap, "-t", "lines", "-p", "0"],
        &first,
    );
    run(
        &wire,
        cli,
        &["produce", "lines", "--bootstrap", bootstrap],
        &second,
    );
    let all = [first, second].concat();
    let consume = [
        "-C",
        "-b",
        bootstrap,
        "-t",
        "lines",
        "-o",
        "beginning",
        "-e",
        "-q",
    ];
    assert!(
        run(&wire, "kcat", &consume, b"") == all,
        "kcat reads what was written"
    );
    let consume = ["consume", "lines", "--bootstrap", bootstrap];
    assert!(
        run(&wire, cli, &consume, b"") == all,
        "our own consumer too"
    );

    let output = ping.wait_with_output().expect("ping ends");
    assert!(text(&output).contains(" 60 received"), "{}", text(&output));

    assert!(node.stop().success());
    assert!(logged(&node, "stopped; everything is on disk"));
    assert_eq!(
        shown(|words| wire.near.ip(words)),
        near_before,
        "no program is left"
    );
    drop(node);
    drop(wire);
    assert_eq!(shown_here(), host_before, "the host's network is as it was");
}

#[test]
fn a_killed_data_plane_comes_back_on_the_same_interface() {
    let wire = wire();
    let near_before = shown(|words| wire.near.ip(words));
    let mut node = node_on(&wire, &["network.driver=afxdp"]);
    node.serve();
    let far = wire.far.enter();
    node.connect().create_topic("survives", 1, &[]).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let mut connection = node.connect();
        for number in 0..200 {
            let value = format!("round {round} record {number}").into_bytes();
            let produced = connection.produce("survives", 0, std::slice::from_ref(&value));
            produced.expect("a broker that serves takes a record");
            acknowledged.push(value);
        }
        node.kill_dataplane();
        let mut kernel = TcpStream::connect((KERNEL, 1)).map(|_| ());
        assert_eq!(
            kernel.as_mut().err().map(|error| error.kind()),
            Some(std::io::ErrorKind::ConnectionRefused),
            "the kernel answers meanwhile"
        );
        let start = Instant::now();
        let back = wait_until(Duration::from_secs(20), || {
            let Ok(mut connection) = Connection::open(node.address()) else {
                return false;
            };
            connection
                .metadata("survives")
                .is_ok_and(|answer| answer.topics[0].partitions[0].leader_id == 1)
        });
        assert!(back, "it never came back:\n{}", node.log());
        println!("served again after {:?}", start.elapsed());
    }
    let mut connection = node.connect();
    let mut found: Vec<StoredRecord> = Vec::new();
    while found.len() < acknowledged.len() {
        let offset = found.len() as i64;
        let fetched = connection.fetch_when_open("survives", 0, offset);
        assert!(!fetched.records.is_empty(), "offset {offset}");
        found.extend(fetched.records);
    }
    let values: Vec<Vec<u8>> = found.into_iter().map(|record| record.value).collect();
    assert!(
        values == acknowledged,
        "what was acknowledged is there, once and in order"
    );
    drop(far);
    node.kill_everything();
    let gone = || shown(|words| wire.near.ip(words)) == near_before;
    assert!(
        wait_until(Duration::from_secs(5), gone),
        "a program is left on the interface"
    );
    node.serve();
    assert!(node.stop().success());
    assert!(gone());
}

#[test]
fn two_shards_serve_the_two_queues_of_an_interface() {
    let wire = wire_of(2);
    let mut node = node_on(&wire, &["network.driver=afxdp", "dataplane.shards=2"]);
    node.serve();
    assert!(logged(&node, "native mode, 2 queues"), "{}", node.log());
    let program = precursor();
    let cli = program.get_program().to_str().expect("a plain path");
    let bootstrap = "10.0.0.2:9092";
    let create = [
        "topic",
        "create",
        "four",
        "--partitions",
        "4",
        "--bootstrap",
        bootstrap,
    ];
    run(&wire, cli, &create, b"");
    // Whichever shard takes a connection, it reaches the partitions of both.
    let mut written = BTreeSet::new();
    for round in 0..8 {
        let some = lines(round * 500, 500);
        run(&wire, "kcat", &["-P", "-b", bootstrap, "-t", "four"], &some);
        written.extend(some.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
    for consume in [
        (cli, vec!["consume", "four", "--bootstrap", bootstrap]),
        (
            "kcat",
            vec![
                "-C",
                "-b",
                bootstrap,
                "-t",
                "four",
                "-o",
                "beginning",
                "-e",
                "-q",
            ],
        ),
    ] {
        let read = run(&wire, consume.0, &consume.1, b"");
        let read: BTreeSet<Vec<u8>> = read
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        assert!(read == written, "{} reads what was written", consume.0);
    }
    // Enough connections that both queues have some, all open at once and all answered.
    let _far = wire.far.enter();
    let mut connections: Vec<Connection> = (0..32).map(|_| node.connect()).collect();
    for connection in &mut connections {
        connection.api_versions().expect("it is answered");
    }
    drop(connections);
    assert!(node.stop().success());
}

/// Neither frames for others nor timers of idle connections keep a broker awake.
#[test]
fn an_idle_broker_past_the_kernel_sleeps() {
    let wire = wire();
    let mut node = node_on(&wire, &["network.driver=afxdp"]);
    node.serve();
    let far = wire.far.enter();
    let mut connections: Vec<Connection> = (0..20).map(|_| node.connect()).collect();
    for connection in &mut connections {
        connection.api_versions().expect("it is answered");
    }
    let pid = node.dataplane_pid().expect("it runs");
    let mut ping = wire.far.command("ping");
    let ping = ping
        .args(["-q", "-i", "0.01", "-w", "9", KERNEL])
        .stdout(Stdio::null());
    let mut ping = ping.spawn().expect("ping");
    std::thread::sleep(Duration::from_secs(2));
    let waits = || proc::waits_of_all(pid).expect("it runs");
    let before = waits();
    std::thread::sleep(Duration::from_secs(5));
    let woken = waits() - before;
    ping.kill().ok();
    ping.wait().ok();
    println!("an idle data plane woke {woken} times in 5 s");
    assert!(woken < 100, "{woken} times");
    for connection in &mut connections {
        connection.api_versions().expect("it is still there");
    }
    drop(far);
    assert!(node.stop().success());
}

#[test]
fn what_cannot_start_says_why_and_auto_falls_back() {
    let wire = wire();
    // What no other host would change is the configuration's fault, and code 2.
    let refused = |code: i32, settings: &[&str], expected: &str| {
        let mut node = Node::prepare(settings);
        node.run_in(wire.near.name(), BROKER, BROKER_PORT);
        std::fs::create_dir_all(node.region_dir()).unwrap();
        let output = node.command().output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        let line = said.lines().find(|line| line.contains(expected));
        println!(
            "{}",
            line.unwrap_or_else(|| panic!("no `{expected}` in:\n{said}"))
        );
    };
    let address = "network.address=10.0.0.2/24";
    refused(
        1,
        &["network.driver=afxdp", "network.interface=nowhere", address],
        "network.driver=afxdp cannot start: there is no network interface `nowhere`",
    );
    refused(2, &["network.driver=afxdp", address], "needs an interface");
    refused(
        2,
        &["network.driver=afxdp", "network.interface=near"],
        "network.address",
    );
    refused(
        2,
        &[
            "network.driver=afxdp",
            "network.interface=near",
            "network.address=10.0.0.9/24",
        ],
        "listen=10.0.0.2:9092",
    );

    // auto takes AF_XDP where it is configured and can,
    let mut automatic = node_on(&wire, &[]);
    automatic.serve();
    assert!(
        logged(&automatic, "AF_XDP on near (veth)"),
        "{}",
        automatic.log()
    );
    assert!(automatic.stop().success());
    drop(automatic);
    // kernel sockets where it cannot,
    wire.near.add_address("10.0.0.2/24");
    let mut fallen_back = node_on(&wire, &[]);
    fallen_back.serve();
    let why = "kernel sockets instead of AF_XDP: the kernel has 10.0.0.2 on `near` itself";
    assert!(logged(&fallen_back, why), "{}", fallen_back.log());
    {
        let _far = wire.far.enter();
        fallen_back
            .connect()
            .api_versions()
            .expect("the kernel serves");
    }
    assert!(fallen_back.stop().success());
    drop(fallen_back);
    refused(
        1,
        &["network.driver=afxdp", "network.interface=near", address],
        "the kernel has 10.0.0.2 on `near` itself; take it off",
    );
    // and kernel sockets where nothing is configured.
    let mut plain = Node::start(&[]);
    assert!(logged(&plain, "kernel sockets by epoll"), "{}", plain.log());
    assert!(plain.stop().success());
}
