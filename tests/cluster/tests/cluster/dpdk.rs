//! A broker whose clients come past the kernel by DPDK, on virtual devices over a veth pair. Cards
//! are not here; what DPDK does with them begins where its port is opened.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use precursor_tests_cluster::batch::StoredRecord;
use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::node::{Node, page, precursor, sample, wait_until};
use precursor_tests_netns::Wire;

use crate::wire::{
    BROKER, BROKER_PORT, KERNEL, lines, logged, node_on, run, shown, shown_here, text, wire,
    wire_of,
};

const BOOTSTRAP: &str = "10.0.0.2:9092";
const PACKET: &str = "network.dpdk.args=--vdev=net_af_packet0,iface=near --no-huge -m 256";
const XDP: &str = "network.dpdk.args=--vdev=net_af_xdp0,iface=near --no-huge -m 256";
const FORCED: &str = "network.driver=dpdk";

/// net_af_packet sees what the kernel sees: segments larger than a frame must not come.
fn frames_alone(wire: &Wire) {
    let mut ethtool = wire.far.command("ethtool");
    ethtool.args([
        "-K",
        wire.far.interface(),
        "tx",
        "off",
        "tso",
        "off",
        "gso",
        "off",
    ]);
    let output = ethtool.output().expect("`ethtool` is needed");
    assert!(output.status.success(), "{}", text(&output));
}

/// Files that DPDK has on this host.
fn files_of_dpdk() -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["/var/run/dpdk", "/dev/hugepages"] {
        let entries = Path::new(folder).read_dir().into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.path().display().to_string());
        files.extend(names.filter(|name| name.contains("rte")));
    }
    files
}

fn clients_are_served(wire: &Wire, node: &Node) {
    {
        // Administration is out of reach where DPDK takes everything from the interface.
        let _far = wire.far.enter();
        node.connect().create_topic("lines", 1, &[]).unwrap();
    }
    let program = precursor();
    let cli = program.get_program().to_str().expect("a plain path");
    let (first, second) = (lines(0, 20_000), lines(20_000, 20_000));
    run(
        wire,
        "kcat",
        &["-P", "-b", BOOTSTRAP, "-t", "lines", "-p", "0"],
        &first,
    );
    run(
        wire,
        cli,
        &["produce", "lines", "--bootstrap", BOOTSTRAP],
        &second,
    );
    let all = [first, second].concat();
    let consume = [
        "-C",
        "-b",
        BOOTSTRAP,
        "-t",
        "lines",
        "-o",
        "beginning",
        "-e",
        "-q",
    ];
    assert!(
        run(wire, "kcat", &consume, b"") == all,
        "kcat reads what was written"
    );
    let consume = ["consume", "lines", "--bootstrap", BOOTSTRAP];
    assert!(run(wire, cli, &consume, b"") == all, "our own consumer too");
}

#[test]
fn unmodified_clients_are_served_by_dpdk() {
    let (host_before, files_before) = (shown_here(), files_of_dpdk());
    for (device, driver) in [(PACKET, "net_af_packet"), (XDP, "net_af_xdp")] {
        let wire = wire();
        frames_alone(&wire);
        let near_before = shown(|words| wire.near.ip(words));
        let mut node = node_on(&wire, &[FORCED, device]);
        node.serve();
        assert_eq!(node.address().to_string(), BOOTSTRAP);
        let report = format!("{driver}0 ({driver}) on near, 1 queue");
        assert!(logged(&node, &report), "{}", node.log());
        clients_are_served(&wire, &node);
        if device == PACKET {
            let ping = ["-q", "-i", "0.05", "-c", "20", "-w", "20", KERNEL];
            let said = String::from_utf8(run(&wire, "ping", &ping, b"")).expect("text");
            assert!(
                said.contains(" 20 received"),
                "the kernel's own address: {said}"
            );
        }
        assert!(node.stop().success());
        assert!(
            logged(&node, "stopped; everything is on disk"),
            "{}",
            node.log()
        );
        assert_eq!(shown(|words| wire.near.ip(words)), near_before, "{driver}");
        assert!(!node.data_dir().join("dpdk-attached").exists());
    }
    assert_eq!(shown_here(), host_before, "the host's network is as it was");
    assert_eq!(files_of_dpdk(), files_before, "no file of DPDK's is left");
}

/// The kernel below net_af_packet spreads connections over its queues by their addresses and ports, as
/// a card does. (net_af_xdp has one on a veth pair: it goes by the interface's combined queues, of which
/// a veth tells none.)
#[test]
fn two_shards_serve_the_two_queues_of_one_port() {
    const QUEUES: &str =
        "network.dpdk.args=--vdev=net_af_packet0,iface=near,qpairs=2 --no-huge -m 256";
    let wire = wire_of(2);
    frames_alone(&wire);
    let mut node = node_on(&wire, &[FORCED, QUEUES, "dataplane.shards=2"]);
    node.set("metrics.listen=127.0.0.1:9464");
    node.serve();
    let report = "net_af_packet0 (net_af_packet) on near, 2 queues";
    assert!(logged(&node, report), "{}", node.log());
    let mut connections: Vec<Connection> = {
        let _far = wire.far.enter();
        (0..32).map(|_| node.connect()).collect()
    };
    connections[0].create_topic("four", 4, &[]).unwrap();
    for connection in &mut connections {
        connection.api_versions().expect("it is answered");
    }
    let held = |shard: u32| {
        let _near = wire.near.enter();
        let page = page(9464, "/metrics").expect("the metrics").1;
        let name = format!("precursor_wire_connections{{shard=\"{shard}\"}}");
        sample(&page, &name).unwrap_or_else(|| panic!("no {name} in:\n{page}"))
    };
    let both = || {
        let (first, second) = (held(0), held(1));
        first > 0.0 && second > 0.0 && first + second == 32.0
    };
    let is_spread = wait_until(Duration::from_secs(20), both);
    println!("connections of the shards: {} and {}", held(0), held(1));
    assert!(is_spread, "both shards have some, together all");
    // Whichever shard has a connection, it reaches the partitions of both.
    for (at, connection) in connections.iter_mut().enumerate() {
        let (partition, value) = (at as i32 % 4, format!("record {at}").into_bytes());
        let produced = connection.produce("four", partition, std::slice::from_ref(&value));
        let offset = produced.expect("a broker that serves takes a record");
        let fetched = connection.fetch_when_open("four", partition, offset);
        assert_eq!(fetched.records[0].value, value);
    }
    drop(connections);
    assert!(node.stop().success());
}

/// Also where DPDK leaves its program on the interface: the next start takes it off.
#[test]
fn a_killed_data_plane_comes_back_with_dpdk() {
    let files_before = files_of_dpdk();
    for device in [XDP, PACKET] {
        let wire = wire();
        frames_alone(&wire);
        let near_before = shown(|words| wire.near.ip(words));
        let mut node = node_on(&wire, &[FORCED, device]);
        node.serve();
        let far = wire.far.enter();
        node.connect().create_topic("survives", 1, &[]).unwrap();
        let mut acknowledged = Vec::new();
        for round in 0..3 {
            let mut connection = node.connect();
            for number in 0..100 {
                let value = format!("round {round} record {number}").into_bytes();
                let produced = connection.produce("survives", 0, std::slice::from_ref(&value));
                produced.expect("a broker that serves takes a record");
                acknowledged.push(value);
            }
            node.kill_dataplane();
            if device == PACKET {
                let refused = TcpStream::connect((KERNEL, 1)).map_err(|error| error.kind());
                let expected = std::io::ErrorKind::ConnectionRefused;
                assert_eq!(
                    refused.err(),
                    Some(expected),
                    "the kernel answers meanwhile"
                );
            }
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
        node.serve();
        if device == XDP {
            let line = "took the XDP program of a killed process off `near`";
            assert!(logged(&node, line), "{}", node.log());
        }
        assert!(node.stop().success());
        assert_eq!(shown(|words| wire.near.ip(words)), near_before, "{device}");
    }
    assert_eq!(files_of_dpdk(), files_before, "no file of DPDK's is left");
}

#[test]
fn dpdk_that_cannot_start_says_why_and_auto_falls_back() {
    let wire = wire();
    let address = "network.address=10.0.0.2/24";
    let near = "network.interface=near";
    let refused = |code: i32, settings: &[&str], expected: &str| {
        let mut node = Node::prepare(&[&[FORCED, address], settings].concat());
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
    refused(2, &[], "network.driver=dpdk needs an interface");
    refused(
        1,
        &[near],
        "network.driver=dpdk cannot start: `near` is no PCI address",
    );
    let unknown = "network.dpdk.args=--vdev=net_af_packet0,iface=nowhere --no-huge -m 256";
    refused(
        1,
        &[near, unknown],
        "network.driver=dpdk cannot start: DPDK",
    );
    let strange = "network.dpdk.args=--vdev=net_null0 --no-such-option";
    refused(1, &[near, strange], "DPDK's environment refuses");
    let tiny = "network.dpdk.args=--vdev=net_af_packet0,iface=near --no-huge -m 2";
    refused(1, &[near, tiny], "network.driver=dpdk cannot start: ");

    // auto takes DPDK where a device is named for it,
    let mut automatic = node_on(&wire, &[XDP]);
    automatic.serve();
    assert!(
        logged(&automatic, "net_af_xdp0 (net_af_xdp) on near"),
        "{}",
        automatic.log()
    );
    assert!(automatic.stop().success());
    drop(automatic);
    // AF_XDP where that cannot,
    let mut second = node_on(&wire, &[unknown]);
    second.serve();
    assert!(logged(&second, "AF_XDP on near (veth)"), "{}", second.log());
    assert!(logged(&second, " instead of DPDK: "), "{}", second.log());
    assert!(second.stop().success());
    drop(second);
    // and kernel sockets where neither can.
    wire.near.add_address("10.0.0.2/24");
    let mut third = node_on(&wire, &[XDP]);
    third.serve();
    let line = "kernel sockets instead of DPDK: the kernel has 10.0.0.2 on `near` itself";
    assert!(logged(&third, line), "{}", third.log());
    assert!(third.stop().success());
    drop(third);
    refused(
        1,
        &[near, XDP],
        "the kernel has 10.0.0.2 on `near` itself; take it off",
    );
}
