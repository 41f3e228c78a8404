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
fn hardly_waits(rounds: u64, topic_options: &[(&str, &str)]) {
    let node = Node::start(&["dataplane.idle=busy", "dataplane.shards=1"]);
    let mut connection = node.connect();
    connection.create_topic("hot", 1, topic_options).unwrap();
    let values = vec![vec![b'x'; 100]; 1_000];
    for _ in 0..300 {
        round(&mut connection, &values);
    }
    let shard = || proc::waits(node.dataplane_pid().unwrap(), "shard-0").unwrap();
    let before = shard();
    for _ in 0..rounds {
        round(&mut connection, &values);
    }
    let waits = shard() - before;
    println!("the shard's thread waited {waits} times in {rounds} produces and {rounds} fetches");
    // Not zero: the kernel itself may hold a page or a file's metadata for a moment.
    assert!(waits <= rounds / 50, "{waits} waits in {rounds} rounds");
}

#[test]
fn a_shard_never_waits_while_it_works() {
    hardly_waits(3_000, &[]);
}

/// The same while segments are rolled, settled and removed, whose files the helper opens, syncs,
/// and closes.
#[test]
fn a_shard_never_waits_while_segments_roll() {
    let options = [
        ("segment.bytes", "1048576"),
        ("retention.bytes", "4194304"),
        ("flush.policy", "interval"),
    ];
    hardly_waits(1_500, &options);
}
