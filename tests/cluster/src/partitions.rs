//! Topics of many partitions: how soon they are there, and there again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::messages::{ListOffsetsRequest, ProduceRequest};

use crate::batch;
use crate::client::{CallError, Connection, now_ms};
use crate::node::{Node, wait_until};

const TOPIC: &str = "many";
const LIST_OFFSETS_VERSION: i16 = 6;
const PRODUCE_VERSION: i16 = 9;
/// Partitions named in one request.
const PER_REQUEST: i32 = 1_000;

/// Creates a topic, or waits until it is there when the answer took too long.
pub fn create(address: SocketAddr, topic: &str, partitions: i32) {
    let mut connection = Connection::open(address).expect("a connection");
    match connection.create_topic(topic, partitions, &[]) {
        Ok(()) => {}
        Err(CallError::Refused(refused)) => panic!("{topic}: {refused:?}"),
        Err(CallError::Connection(error)) => panic!("{topic}: {error}"),
    }
}

/// The end offset of each of the topic's partitions that is served; −1 of the others.
pub fn ends(connection: &mut Connection, topic: &str, partitions: i32) -> Vec<i64> {
    let mut found = Vec::with_capacity(partitions as usize);
    for first in (0..partitions).step_by(PER_REQUEST as usize) {
        let wanted = first..partitions.min(first + PER_REQUEST);
        let partition = |index| ListOffsetsPartition {
            partition_index: index,
            current_leader_epoch: -1,
            timestamp: -1,
            ..Default::default()
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: wanted.map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let answer = connection.ask(&request, LIST_OFFSETS_VERSION);
        let answer = answer.expect("an answer");
        found.extend(answer.topics[0].partitions.iter().map(|p| p.offset));
    }
    found
}

/// Waits until every partition of the topic is served and ends at `end`.
pub fn wait_for_all(address: SocketAddr, topic: &str, partitions: i32, end: i64) {
    let mut connection = Connection::open(address).expect("a connection");
    let mut found = Vec::new();
    let all = wait_until(Duration::from_secs(300), || {
        found = ends(&mut connection, topic, partitions);
        found.iter().all(|offset| *offset >= 0)
    });
    assert!(all, "every partition is served");
    assert!(found.iter().all(|offset| *offset == end), "ends of {topic}");
}

/// Writes a record to each partition of the topic.
fn write_to_all(address: SocketAddr, topic: &str, partitions: i32) {
    let mut connection = Connection::open(address).expect("a connection");
    let records = batch::encode(&[b"record".to_vec()], None, now_ms());
    for first in (0..partitions).step_by(PER_REQUEST as usize) {
        let wanted = first..partitions.min(first + PER_REQUEST);
        let partition = |index| PartitionProduceData {
            index,
            records: Some(records.clone()),
            ..Default::default()
        };
        let request = ProduceRequest {
            acks: 1,
            timeout_ms: 15_000,
            topic_data: vec![TopicProduceData {
                name: topic.to_owned(),
                partition_data: wanted.map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let answer = connection.ask(&request, PRODUCE_VERSION);
        let answer = answer.expect("an answer");
        let taken = &answer.responses[0].partition_responses;
        assert!(taken.iter().all(|partition| partition.error_code == 0));
    }
}

/// What came of one topic of many partitions.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartitionsReport {
    pub partitions: i32,
    /// From CreateTopics until every partition is served.
    pub created_in: Duration,
    /// Topics of one partition made meanwhile, and the longest until the first record was taken.
    pub others: u32,
    pub other_created_in_max: Duration,
    /// The longest that a record for a partition that was there before had to wait meanwhile.
    pub produced_in_max: Duration,
    /// From SIGTERM to the end.
    pub stopped_in: Duration,
    /// From the start to the ready line, and until every partition is served.
    pub ready_again_in: Duration,
    pub served_again_in: Duration,
    /// The same after a kill -9 with a record in each partition that no checkpoint knows of.
    pub ready_after_kill_in: Duration,
    pub served_after_kill_in: Duration,
    /// From SIGTERM to the end, with a record in each partition.
    pub stopped_full_in: Duration,
    pub ready_full_in: Duration,
    pub served_full_in: Duration,
}

/// Creates a topic of this many partitions, and others meanwhile; stops, kills and starts again.
pub fn scale(partitions: i32) -> PartitionsReport {
    let mut report = PartitionsReport {
        partitions,
        ..PartitionsReport::default()
    };
    let mut node = Node::start(&["dataplane.shards=1"]);
    create_meanwhile(&node, &mut report);
    println!("{report:?}");
    report.stopped_in = stop(&mut node);
    (report.ready_again_in, report.served_again_in) = start(&mut node, partitions, 0);
    println!("{report:?}");
    write_to_all(node.address(), TOPIC, partitions);
    node.kill_everything();
    (report.ready_after_kill_in, report.served_after_kill_in) = start(&mut node, partitions, 1);
    println!("{report:?}");
    write_to_all(node.address(), TOPIC, partitions);
    report.stopped_full_in = stop(&mut node);
    (report.ready_full_in, report.served_full_in) = start(&mut node, partitions, 2);
    report
}

fn create_meanwhile(node: &Node, report: &mut PartitionsReport) {
    let (address, partitions) = (node.address(), report.partitions);
    create(address, "before", 1);
    let begun = Instant::now();
    let many = std::thread::spawn(move || {
        create(address, TOPIC, partitions);
        wait_for_all(address, TOPIC, partitions, 0);
        begun.elapsed()
    });
    let mut connection = node.connect();
    let mut produced = |until: Instant| {
        let mut longest = Duration::ZERO;
        while Instant::now() < until {
            let asked = Instant::now();
            let taken = connection.produce("before", 0, &[b"record".to_vec()]);
            assert!(taken.is_ok(), "{taken:?}");
            longest = longest.max(asked.elapsed());
        }
        longest
    };
    report.produced_in_max = produced(begun + Duration::from_millis(500));
    while !many.is_finished() {
        let asked = Instant::now();
        let name = format!("other-{}", report.others);
        create(address, &name, 1);
        let mut connection = node.connect();
        while connection.produce(&name, 0, &[b"record".to_vec()]).is_err() {
            std::thread::sleep(Duration::from_millis(2));
        }
        report.others += 1;
        report.other_created_in_max = report.other_created_in_max.max(asked.elapsed());
        let more = produced(Instant::now() + Duration::from_millis(50));
        report.produced_in_max = report.produced_in_max.max(more);
    }
    report.created_in = many.join().expect("the topic is made");
}

fn stop(node: &mut Node) -> Duration {
    let begun = Instant::now();
    assert!(node.stop().success());
    begun.elapsed()
}

fn start(node: &mut Node, partitions: i32, end: i64) -> (Duration, Duration) {
    let begun = Instant::now();
    node.serve();
    let ready = begun.elapsed();
    wait_for_all(node.address(), TOPIC, partitions, end);
    (ready, begun.elapsed())
}
