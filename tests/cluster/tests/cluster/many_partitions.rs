//! Topics of many partitions on a running broker.

use std::time::{Duration, Instant};

use precursor_tests_cluster::node::{Node, wait_until};
use precursor_tests_cluster::partitions::{create, ends, wait_for_all};

/// Opening a log waits for the disk: a topic of one partition must not wait for the thousands that
/// were asked for before it. Compared is what comes first, whatever the machine's speed.
#[test]
fn a_new_topic_does_not_wait_for_an_earlier_one_of_many_partitions() {
    const MANY: i32 = 4_000;
    let node = Node::start(&["dataplane.shards=1"]);
    let address = node.address();
    let many = std::thread::spawn(move || {
        create(address, "many", MANY);
        wait_for_all(address, "many", MANY, 0);
        Instant::now()
    });
    let mut connection = node.connect();
    let known = wait_until(Duration::from_secs(20), || {
        let topics = connection.metadata("many").unwrap().topics;
        topics[0].partitions.len() == MANY as usize
    });
    assert!(known, "the topic is there, its logs are not yet");
    create(address, "one", 1);
    assert_eq!(ends(&mut connection, "one", 1), [0], "it is served at once");
    let one = Instant::now();
    let open = ends(&mut connection, "many", MANY);
    let open = open.iter().filter(|end| **end >= 0).count();
    let many = many.join().unwrap();
    println!(
        "{open} of {MANY} were open when the later topic was; all {:?} later",
        many - one
    );
    assert!(open < MANY as usize, "one is served before all of many");
}
