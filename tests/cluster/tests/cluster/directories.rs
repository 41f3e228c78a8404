//! Several log directories on real file systems, of which one fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use precursor_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use precursor_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use precursor_tests_cluster::client::{CallError, Connection, Refused};
use precursor_tests_cluster::node::{Mount, Node, wait_until};

const STORAGE_ERROR: i16 = 56;
const PARTITIONS: i32 = 6;

/// An ext4 in a file.
fn image(path: &Path) -> Mount {
    let file = std::fs::File::create(path).unwrap();
    file.set_len(48 << 20).unwrap();
    let made = Command::new("mkfs.ext4").arg("-q").arg(path).status();
    assert!(
        made.unwrap().success(),
        "mkfs.ext4 (e2fsprogs) makes a file system"
    );
    let what = ["-o", "loop", path.to_str().unwrap()];
    Mount {
        what: what.map(str::to_owned).to_vec(),
        place: PathBuf::new(),
    }
}

fn described(node: &Node) -> Vec<DescribeLogDirsResult> {
    let request = DescribeLogDirsRequest {
        topics: None,
        ..Default::default()
    };
    let response: DescribeLogDirsResponse = node.connect().ask(&request, 4).unwrap();
    response.results
}

fn partitions(result: &DescribeLogDirsResult) -> Vec<i32> {
    let topics = result.topics.iter().filter(|topic| topic.name == "t");
    let partitions = topics.flat_map(|topic| &topic.partitions);
    let mut numbers: Vec<i32> = partitions.map(|p| p.partition_index).collect();
    numbers.sort_unstable();
    numbers
}

fn produce(connection: &mut Connection, partition: i32) -> Result<i64, CallError> {
    connection.produce(
        "t",
        partition,
        &[format!("record of {partition}").into_bytes()],
    )
}

fn is_storage_error(node: &Node, partition: i32) -> bool {
    let outcome = produce(&mut node.connect(), partition);
    matches!(outcome, Err(CallError::Refused(Refused(STORAGE_ERROR))))
}

/// A node with three directories: one on a disk of its own.
fn node_on_three() -> (Node, Mount, [PathBuf; 3]) {
    // The disk is smaller than what is to stay free by default.
    let mut node = Node::prepare(&["log.dirs.free.bytes.min=1048576"]);
    let places = ["a", "b", "c"].map(|name| node.folder().join(name));
    let names = places.clone().map(|place| place.display().to_string());
    node.set(&format!("log.dirs={}", names.join(",")));
    let mount = Mount {
        place: places[1].clone(),
        ..image(&node.folder().join("disk"))
    };
    node.set_mounts(vec![mount.clone()]);
    (node, mount, places)
}

#[test]
fn a_disk_that_fails_takes_its_partitions_offline_until_it_is_back() {
    let (mut node, mount, places) = node_on_three();
    node.serve();
    let mut client = node.connect();
    client.create_topic("t", PARTITIONS, &[]).unwrap();
    let before = described(&node);
    for (result, place) in before.iter().zip(&places) {
        assert_eq!(Path::new(&result.log_dir), place);
        assert_eq!((result.error_code, partitions(result).len()), (0, 2));
        assert!(result.total_bytes >= result.usable_bytes && result.usable_bytes > 0);
    }
    let disk_bytes = before[1].total_bytes;
    assert!(disk_bytes < 64 << 20, "{disk_bytes}: the disk's own");
    let lost = partitions(&before[1]);
    for partition in 0..PARTITIONS {
        produce(&mut client, partition).unwrap();
    }
    // The next write of anything there fails, as if the device had gone.
    let place = places[1].to_str().unwrap();
    assert!(node.beside(&["mount", "-o", "remount,abort", place]));
    assert!(
        wait_until(Duration::from_secs(20), || is_storage_error(&node, lost[0])),
        "a partition that is written to goes offline"
    );
    assert!(
        wait_until(Duration::from_secs(20), || is_storage_error(&node, lost[1])),
        "and the other of the same disk"
    );
    for partition in (0..PARTITIONS).filter(|p| !lost.contains(p)) {
        assert_eq!(produce(&mut client, partition).unwrap(), 1);
        assert_eq!(client.fetch_when_open("t", partition, 0).records.len(), 2);
    }
    let failed = described(&node);
    let codes: Vec<i16> = failed.iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [0, STORAGE_ERROR, 0]);
    assert!(failed[1].topics.is_empty());
    assert!(
        node.log().contains("a log directory failed"),
        "{}",
        node.log()
    );
    client.create_topic("later", 3, &[]).unwrap();
    let later = described(&node);
    let count = |n: usize| later[n].topics.iter().filter(|t| t.name == "later").count();
    assert_eq!((count(0), count(1), count(2)), (1, 0, 1));

    // A start without the disk: an empty directory in its place is not taken for it.
    node.stop();
    node.set_mounts(Vec::new());
    node.serve();
    let mut client = node.connect();
    for partition in 0..PARTITIONS {
        if lost.contains(&partition) {
            assert!(wait_until(Duration::from_secs(20), || is_storage_error(
                &node, partition
            )));
        } else {
            assert_eq!(client.fetch_when_open("t", partition, 0).records.len(), 2);
        }
    }
    assert!(
        node.log().contains("is its file system mounted?"),
        "{}",
        node.log()
    );
    for entry in std::fs::read_dir(&places[1]).unwrap() {
        assert_eq!(
            entry.unwrap().file_name(),
            ".lock",
            "nothing was made there"
        );
    }

    // It is back: with what it held, and what the region kept for it.
    node.stop();
    node.set_mounts(vec![mount]);
    node.serve();
    let mut client = node.connect();
    for partition in lost {
        let fetched = client.fetch_when_open("t", partition, 0);
        assert!(!fetched.records.is_empty(), "partition {partition}");
        produce(&mut client, partition).unwrap();
    }
    assert!(described(&node).iter().all(|result| result.error_code == 0));
    assert!(node.stop().success());
}

#[test]
fn a_disk_that_is_unmounted_under_the_broker_is_noticed_while_nothing_is_written() {
    let (mut node, _, places) = node_on_three();
    node.serve();
    node.connect().create_topic("t", PARTITIONS, &[]).unwrap();
    let lost = partitions(&described(&node)[1]);
    assert!(node.beside(&["umount", "-l", places[1].to_str().unwrap()]));
    assert!(wait_until(Duration::from_secs(20), || {
        described(&node)[1].error_code == STORAGE_ERROR
    }));
    for partition in 0..PARTITIONS {
        assert_eq!(
            is_storage_error(&node, partition),
            lost.contains(&partition)
        );
    }
    assert!(
        node.log().contains("another file system is mounted there"),
        "{}",
        node.log()
    );
}

/// A file system on which nothing that would change it returns, until this is dropped.
struct Frozen<'a> {
    node: &'a Node,
    place: &'a str,
}

impl<'a> Frozen<'a> {
    fn new(node: &'a Node, place: &'a str) -> Frozen<'a> {
        assert!(node.beside(&["fsfreeze", "-f", place]), "fsfreeze freezes");
        Frozen { node, place }
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.node.beside(&["fsfreeze", "-u", self.place]);
    }
}

/// Produces large records until one is not answered; how many were.
fn produce_until_stuck(mut connection: Connection, partition: i32) -> i64 {
    let record = vec![b'x'; 64 << 10];
    let mut answered = 0;
    while let Ok(offset) = connection.produce("t", partition, std::slice::from_ref(&record)) {
        answered = offset + 1;
    }
    answered
}

#[test]
fn a_disk_that_never_answers_holds_up_its_partitions_and_no_others() {
    let (mut node, _, places) = node_on_three();
    // Little memory: what waits for the disk that hangs would fill it.
    node.set("memory.region.bytes=100663296");
    node.serve();
    let mut client = node.connect();
    let small = [
        ("segment.bytes", "1048576"),
        ("flush.policy", "every-write"),
    ];
    client.create_topic("t", PARTITIONS, &small).unwrap();
    let lost = partitions(&described(&node)[1]);
    for partition in 0..PARTITIONS {
        produce(&mut client, partition).unwrap();
    }
    let frozen = Frozen::new(&node, places[1].to_str().unwrap());
    let stuck: Vec<_> = lost
        .iter()
        .map(|partition| {
            let (connection, partition) = (node.connect(), *partition);
            std::thread::spawn(move || produce_until_stuck(connection, partition))
        })
        .collect();
    // Segments are rolled and settled, checkpoints are written: the helpers have work.
    let record = vec![b'y'; 64 << 10];
    let begun = Instant::now();
    let (mut longest, mut count) = (Duration::ZERO, 0);
    while begun.elapsed() < Duration::from_secs(8) {
        for partition in (0..PARTITIONS).filter(|p| !lost.contains(p)) {
            let sent = Instant::now();
            let produced = client.produce("t", partition, std::slice::from_ref(&record));
            count = produced.unwrap() + 1;
            longest = longest.max(sent.elapsed());
        }
    }
    println!("{count} records each, {longest:?} at most");
    assert!(count > 64, "{count}: several segments");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert!(
        !client
            .fetch_when_open("t", (0..PARTITIONS).find(|p| !lost.contains(p)).unwrap(), 0)
            .records
            .is_empty()
    );
    drop(frozen);
    for (partition, stuck) in lost.iter().zip(stuck) {
        let answered = stuck.join().unwrap();
        println!("partition {partition}: {answered} records were answered");
        let all_there = || {
            !node
                .connect()
                .fetch_when_open("t", *partition, answered.max(1) - 1)
                .records
                .is_empty()
        };
        assert!(wait_until(Duration::from_secs(20), all_there));
    }
    assert!(node.stop().success());
}

#[test]
fn a_data_directory_with_partitions_that_log_dirs_leaves_out_is_refused() {
    let mut node = Node::start(&[]);
    node.connect().create_topic("t", 1, &[]).unwrap();
    assert!(node.stop().success());
    node.set(&format!(
        "log.dirs={}",
        node.folder().join("elsewhere").display()
    ));
    let output = node.command().output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("holds partitions (t-0)"), "{said}");
}
