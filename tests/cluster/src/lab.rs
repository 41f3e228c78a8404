//! What runs inside the machine of `scripts/lab`: brokers on devices that no build machine has.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::batch::StoredRecord;
use crate::client::{CallError, Connection, NOT_LEADER_OR_FOLLOWER};
use crate::node::{Node, page, sample, wait_until};

/// The broker's address on the virtual function; the kernel has another on the card itself.
const BROKER: &str = "10.78.0.2";
/// The kernel's, on the card or in a VLAN on it.
const KERNEL: &str = "10.78.0.1";
const PORT: u16 = 9092;
/// What takes seconds elsewhere takes minutes where every instruction is emulated.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A broker with DPDK on the virtual function `LAB_VF` at vfio-pci, and clients of the kernel on the
/// card, `LAB_INTERFACE`: they are served, also after the data plane and everything was killed, and
/// both card and function are as they were.
///
/// # Panics
/// Something of this does not hold.
pub fn dpdk_on_a_virtual_function() {
    let (card, function) = (variable("LAB_INTERFACE"), variable("LAB_VF"));
    let before = (network(), driver(&function));
    assert_eq!(before.1, "vfio-pci");
    let interface = format!("network.interface={function}");
    let mut node = Node::prepare(&[
        "network.driver=dpdk",
        &interface,
        &format!("network.address={BROKER}/24"),
        // The card's other end is out of the broker's reach: these stay with the kernel.
        "admin.listen=127.0.0.1:0",
        "metrics.listen=127.0.0.1:0",
        "dataplane.shards=1",
    ]);
    node.listen_at(BROKER, PORT);
    node.set_patience(PATIENCE);
    started(
        &mut node,
        &format!("{function} (net_e1000_igb_vf), 1 queue"),
    );
    create_topic(&node, "lines");
    create_topic(&node, "survives");

    let mut all = lines(0, 4000);
    kcat(&["-P", "-t", "lines", "-p", "0"], &all);
    assert!(consumed() == all, "kcat reads what kcat wrote");
    println!("kcat is served: {} bytes each way", all.len());

    let mut acknowledged = Vec::new();
    for round in 0..2 {
        produce_some(&node, round, &mut acknowledged);
        node.kill_dataplane();
        let start = Instant::now();
        assert_eq!(network(), before.0, "the card keeps its link and addresses");
        assert!(serves_again(&node), "it never came back:\n{}", node.log());
        println!("killed, and served again after {:?}", start.elapsed());
    }
    read_back(&node, &acknowledged);
    let more = lines(4000, 500);
    kcat(&["-P", "-t", "lines", "-p", "0"], &more);
    all.extend(more);

    node.kill_everything();
    assert_eq!((network(), driver(&function)), before, "all were killed");
    // From now on in a VLAN, whose frames a virtual function hears only after it asked for them.
    ip(&format!("link add link {card} name tagged type vlan id 5"));
    ip(&format!("address del {KERNEL}/24 dev {card}"));
    ip(&format!("address add {KERNEL}/24 dev tagged"));
    ip("link set tagged up");
    node.set("network.vlan=5");
    node.set("network.driver=auto");
    started(&mut node, "net_e1000_igb_vf");
    assert!(serves_again(&node), "it never came back:\n{}", node.log());
    assert!(
        consumed() == all,
        "everything is there after all were killed"
    );
    read_back(&node, &acknowledged);
    assert!(node.stop().success());
    ip("link del tagged");
    ip(&format!("address add {KERNEL}/24 dev {card}"));
    assert_eq!((network(), driver(&function)), before, "the broker stopped");
    goes_back_to_the_kernel(&card, &function);
    println!("everything held");
}

/// A broker of two shards with DPDK on the card `LAB_CARD` at vfio-pci: the card itself spreads
/// connections over the two queues by their addresses and ports, and every client reaches the partitions
/// of both shards.
///
/// # Panics
/// Something of this does not hold.
pub fn a_card_spreads_connections() {
    const CONNECTIONS: usize = 16;
    let card = variable("LAB_CARD");
    let before = network();
    let mut node = Node::prepare(&[
        "network.driver=dpdk",
        &format!("network.interface={card}"),
        &format!("network.address={BROKER}/24"),
        "admin.listen=127.0.0.1:0",
        "metrics.listen=127.0.0.1:9464",
        "dataplane.shards=2",
    ]);
    node.listen_at(BROKER, PORT);
    node.set_patience(PATIENCE);
    started(&mut node, &format!("{card} (net_e1000_igb), 2 queues"));
    create_topic(&node, "spread");
    let mut connections: Vec<Connection> = (0..CONNECTIONS).map(|_| node.connect()).collect();
    let held = |shard: u32| {
        let page = page(9464, "/metrics").expect("the metrics").1;
        let name = format!("precursor_wire_connections{{shard=\"{shard}\"}}");
        sample(&page, &name).unwrap_or_else(|| panic!("no {name} in:\n{page}"))
    };
    let is_spread = wait_until(PATIENCE, || {
        let (first, second) = (held(0), held(1));
        first > 0.0 && second > 0.0 && first + second == CONNECTIONS as f64
    });
    println!("connections of the shards: {} and {}", held(0), held(1));
    assert!(is_spread, "both shards have some, together all");
    for (at, connection) in connections.iter_mut().enumerate() {
        let value = format!("record {at}").into_bytes();
        let produced = connection.produce("spread", 0, std::slice::from_ref(&value));
        let offset = produced.expect("a broker that serves takes a record");
        let fetched = connection.fetch_when_open("spread", 0, offset);
        assert_eq!(fetched.records[0].value, value);
    }
    drop(connections);
    assert!(node.stop().success());
    assert_eq!(network(), before);
    println!("everything held");
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this is not the lab"))
}

pub(crate) fn started(node: &mut Node, expected: &str) {
    let start = Instant::now();
    node.serve();
    let log = std::fs::read_to_string(node.log_file()).expect("a log");
    let line = log.lines().rev().find(|line| line.contains(expected));
    let line = line.unwrap_or_else(|| panic!("no `{expected}` in:\n{log}"));
    println!("ready after {:?}: {line}", start.elapsed());
}

fn create_topic(node: &Node, name: &str) {
    let mut last = None;
    let made = wait_until(PATIENCE, || {
        let made = Connection::open(node.address()).map(|mut connection| {
            last = Some(format!("{:?}", connection.create_topic(name, 1, &[])));
            last.as_deref() == Some("Ok(())")
        });
        made.unwrap_or(false)
    });
    assert!(made, "{name}: {last:?}\n{}", node.log());
}

fn produce_some(node: &Node, round: usize, acknowledged: &mut Vec<Vec<u8>>) {
    let mut connection = node.connect();
    for number in 0..50 {
        let value = format!("round {round} record {number}").into_bytes();
        let taken = wait_until(PATIENCE, || {
            match connection.produce("survives", 0, std::slice::from_ref(&value)) {
                Ok(_) => true,
                // Its log is opened still: nothing was appended, and clients try again.
                Err(CallError::Refused(refused)) if refused == NOT_LEADER_OR_FOLLOWER => false,
                Err(error) => panic!("a broker that serves takes a record: {error:?}"),
            }
        });
        assert!(taken, "the log was never opened");
        acknowledged.push(value);
    }
}

fn serves_again(node: &Node) -> bool {
    wait_until(PATIENCE, || {
        let Ok(mut connection) = Connection::open(node.address()) else {
            return false;
        };
        let answer = connection.metadata("survives");
        answer.is_ok_and(|answer| answer.topics[0].partitions[0].leader_id == 1)
    })
}

fn read_back(node: &Node, acknowledged: &[Vec<u8>]) {
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
}

/// Records from one byte to one that needs two frames.
fn lines(from: usize, count: usize) -> Vec<u8> {
    let mut lines = Vec::new();
    for number in from..from + count {
        let filling = "x".repeat(number * 7 % 1900);
        writeln!(lines, "record {number} {filling}").expect("memory takes everything");
    }
    lines
}

fn kcat(words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("kcat");
    command
        .args(["-m", "60", "-b", &format!("{BROKER}:{PORT}")])
        .args(words);
    run(&mut command, input)
}

fn consumed() -> Vec<u8> {
    kcat(&["-C", "-t", "lines", "-o", "beginning", "-e", "-q"], b"")
}

/// Runs a program to its end; returns what it printed.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("its end is seen")
    });
    assert!(output.status.success(), "{command:?}: {}", output.status);
    output.stdout
}

/// Interfaces with their state, addresses and routes, as `ip` shows them.
pub(crate) fn network() -> String {
    let shown = |words: &[&str]| {
        let text = run(Command::new("ip").args(words), b"");
        String::from_utf8(text).expect("text")
    };
    [&["-o", "link"][..], &["-o", "address"], &["route"]]
        .map(shown)
        .concat()
}

fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')), b"");
}

fn driver(function: &str) -> String {
    let link = format!("/sys/bus/pci/devices/{function}/driver");
    let driver = std::fs::read_link(link).unwrap_or_default();
    let name = driver.file_name().unwrap_or_default();
    name.display().to_string()
}

/// The function serves the kernel again: as an interface in a namespace of its own, which the card's
/// end can ping.
fn goes_back_to_the_kernel(card: &str, function: &str) {
    let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/setup-nic.sh");
    let script = format!(
        "set -e
        echo 1 > /sys/class/net/{card}/device/sriov_drivers_autoprobe
        {setup} unbind {function}
        name=$(ls /sys/bus/pci/devices/{function}/net)
        ip netns add lab
        ip link set $name netns lab
        ip -n lab address add {BROKER}/24 dev $name
        ip -n lab link set $name up
        ping -q -c 20 -i 0.2 -w 30 {BROKER}",
        setup = setup.display()
    );
    let said = run(Command::new("bash").args(["-c", &script]), b"");
    let said = String::from_utf8_lossy(&said);
    assert_eq!(driver(function), "igbvf");
    println!("{said}");
}
