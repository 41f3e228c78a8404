//! A broker on one end of a veth pair, its clients on the other, each in a network namespace of its
//! own. Needs root, `ip`, `ethtool`, `ping` and `kcat`.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use precursor_tests_cluster::node::Node;
use precursor_tests_netns::Wire;

pub const BROKER: &str = "10.0.0.2";
pub const BROKER_PORT: u16 = 9092;
/// The kernel's own address on the broker's interface.
pub const KERNEL: &str = "10.0.0.3";
pub const SETTINGS: [&str; 4] = [
    "network.interface=near",
    "network.address=10.0.0.2/24",
    // Administration stays with the kernel, on the same interface.
    "admin.listen=10.0.0.3:0",
    "metrics.listen=10.0.0.3:0",
];

pub fn wire() -> Wire {
    wire_of(1)
}

pub fn wire_of(queues: u32) -> Wire {
    let wire = Wire::new(queues);
    wire.near.add_address("10.0.0.3/24");
    wire.far.add_address("10.0.0.1/24");
    wire
}

pub fn node_on(wire: &Wire, settings: &[&str]) -> Node {
    let mut node = Node::prepare(&[&SETTINGS[..], settings].concat());
    node.run_in(wire.near.name(), BROKER, BROKER_PORT);
    node
}

/// Runs a program where the clients are; returns what it printed.
pub fn run(wire: &Wire, program: &str, words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = wire.far.command(program);
    let child = child
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = child
        .stderr(Stdio::piped())
        .spawn()
        .expect("`ip netns exec`");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("its end is seen")
    });
    assert!(
        output.status.success(),
        "{program} {words:?}: {}",
        text(&output)
    );
    output.stdout
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What `ip` shows of a network: interfaces, addresses, routes, without counters.
pub fn shown(ip: impl Fn(&[&str]) -> String) -> BTreeSet<String> {
    [
        &["-o", "link"][..],
        &["-o", "address"],
        &["route"],
        &["rule"],
    ]
    .iter()
    .flat_map(|words| ip(words).lines().map(str::to_owned).collect::<Vec<_>>())
    .filter(|line| !line.contains("pctest"))
    .collect()
}

pub fn shown_here() -> BTreeSet<String> {
    shown(|words| {
        let output = Command::new("ip").args(words).output().expect("ip");
        String::from_utf8_lossy(&output.stdout).into_owned()
    })
}

pub fn lines(from: usize, count: usize) -> Vec<u8> {
    let mut lines = Vec::new();
    for number in from..from + count {
        let filling = "x".repeat(number * 7 % 900);
        writeln!(lines, "record {number} {filling}").expect("memory takes everything");
    }
    lines
}

/// A line of the node's log with this in it.
pub fn logged(node: &Node, what: &str) -> bool {
    let log = std::fs::read_to_string(node.log_file()).unwrap_or_default();
    log.lines().any(|line| line.contains(what))
}
