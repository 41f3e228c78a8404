//! The way of a record through a shard: no lock that waits, no call that blocks.

use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::node::Node;
use precursor_tests_cluster::proc;

/// One batch in, the same batch out.
fn round(connection: &mut Connection, values: &[Vec<u8>]) {
    let offset = connection.produce("hot", 0, values).unwrap();
    let fetched = connection.fetch("hot", 0, offset, 0).unwrap();
    assert_eq!(fetched.records.len(), values.len());
}

/// Under the busy policy a shard has no reason to wait. Whatever makes its thread sleep (a contended
/// lock, a file call that reaches the disk, a socket call that blocks) is counted by the kernel.
#[test]
fn a_shard_never_waits_while_it_works() {
    const ROUNDS: u64 = 3_000;
    let node = Node::start(&["dataplane.idle=busy", "dataplane.shards=1"]);
    let mut connection = node.connect();
    connection.create_topic("hot", 1, &[]).unwrap();
    let values = vec![vec![b'x'; 100]; 1_000];
    for _ in 0..300 {
        round(&mut connection, &values);
    }
    let shard = || proc::waits(node.dataplane_pid().unwrap(), "shard-0").unwrap();
    let before = shard();
    for _ in 0..ROUNDS {
        round(&mut connection, &values);
    }
    let waits = shard() - before;
    println!("the shard's thread waited {waits} times in {ROUNDS} produces and {ROUNDS} fetches");
    // Not zero: the kernel itself may hold a page or a file's metadata for a moment.
    assert!(waits <= ROUNDS / 50, "{waits} waits in {ROUNDS} rounds");
}

/// The same while segments are rolled, settled and removed, whose files the helper opens, syncs,
/// and closes.
#[test]
fn a_shard_never_waits_while_segments_roll() {
    const ROUNDS: u64 = 1_500;
    let node = Node::start(&["dataplane.idle=busy", "dataplane.shards=1"]);
    let mut connection = node.connect();
    let options = [
        ("segment.bytes", "1048576"),
        ("retention.bytes", "4194304"),
        ("flush.policy", "interval"),
    ];
    connection.create_topic("hot", 1, &options).unwrap();
    let values = vec![vec![b'x'; 100]; 1_000];
    for _ in 0..300 {
        round(&mut connection, &values);
    }
    let shard = || proc::waits(node.dataplane_pid().unwrap(), "shard-0").unwrap();
    let before = shard();
    for _ in 0..ROUNDS {
        round(&mut connection, &values);
    }
    let waits = shard() - before;
    println!("the shard's thread waited {waits} times in {ROUNDS} rounds and their rolls");
    assert!(waits <= ROUNDS / 50, "{waits} waits in {ROUNDS} rounds");
}
