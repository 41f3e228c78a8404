//! Groups and committed offsets, by their requests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_protocol::messages::describe_groups_response::DescribedGroup;
use precursor_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use precursor_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use precursor_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};

use crate::client::Connection;
use crate::node::{Node, wait_until};
use crate::proc;

const COMMIT_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 9;
const FIND_VERSION: i16 = 4;

/// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE and NOT_COORDINATOR: ask again.
const ASK_AGAIN: [i16; 3] = [14, 15, 16];

/// Asks until there is a coordinator for `group`, and it has loaded.
pub fn wait_for_coordinator(connection: &mut Connection, group: &str) {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec![group.to_owned()],
        ..Default::default()
    };
    let found = wait_until(Duration::from_secs(20), || {
        let response = connection.ask(&request, FIND_VERSION);
        response.expect("an answer").coordinators[0].error_code == 0
    });
    assert!(found, "there is a coordinator");
    let loaded = wait_until(Duration::from_secs(20), || {
        let answer = committed(connection, group, None).expect("an answer");
        answer.is_ok()
    });
    assert!(loaded, "the coordinator has loaded");
}

/// Commits an offset for each of the first `partitions` partitions of `topic`, as no member.
///
/// # Errors
/// The connection broke, or the coordinator said no: the first error among the partitions.
pub fn commit(
    connection: &mut Connection,
    group: &str,
    topic: &str,
    partitions: i32,
    offset: i64,
) -> io::Result<i16> {
    let partition = |index| OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: offset,
        committed_leader_epoch: -1,
        committed_metadata: Some(String::new()),
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: topic.to_owned(),
            partitions: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = connection.ask(&request, COMMIT_VERSION)?;
    let all = response.topics.iter().flat_map(|topic| &topic.partitions);
    let first = all
        .map(|partition| partition.error_code)
        .find(|code| *code != 0);
    Ok(first.unwrap_or(0))
}

/// What the coordinator says is committed, by topic and partition; -1 for nothing.
///
/// # Errors
/// The connection broke, or (inner) the coordinator said no.
#[allow(clippy::type_complexity)]
pub fn committed(
    connection: &mut Connection,
    group: &str,
    topics: Option<&[(&str, i32)]>,
) -> io::Result<Result<HashMap<(String, i32), i64>, i16>> {
    let topics = topics.map(|topics| {
        let topic = |(name, partitions): &(&str, i32)| OffsetFetchRequestTopics {
            name: (*name).to_owned(),
            partition_indexes: (0..*partitions).collect(),
            ..Default::default()
        };
        topics.iter().map(topic).collect()
    });
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics,
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut response = connection.ask(&request, FETCH_VERSION)?;
    let group = response.groups.remove(0);
    if group.error_code != 0 {
        return Ok(Err(group.error_code));
    }
    let mut offsets = HashMap::new();
    for topic in group.topics {
        for partition in topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            offsets.insert(place, partition.committed_offset);
        }
    }
    Ok(Ok(offsets))
}

/// As [`committed`], asked until the coordinator has loaded.
pub fn committed_when_loaded(
    address: SocketAddr,
    group: &str,
    topics: Option<&[(&str, i32)]>,
) -> HashMap<(String, i32), i64> {
    let mut found = None;
    let loaded = wait_until(Duration::from_secs(30), || {
        let answer = Connection::open(address).and_then(|mut c| committed(&mut c, group, topics));
        match answer {
            Ok(Ok(offsets)) => found = Some(offsets),
            Ok(Err(code)) if !ASK_AGAIN.contains(&code) => panic!("error {code}"),
            _ => {}
        }
        found.is_some()
    });
    assert!(loaded, "the coordinator is there");
    found.unwrap_or_default()
}

/// How many groups, and what came of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScaleReport {
    pub groups: u32,
    pub offsets: u64,
    pub committed_in: Duration,
    /// From the control plane's start until every group answers.
    pub loaded_in: Duration,
    /// Memory of the control plane before there were groups, and after the load.
    pub resident_before_bytes: u64,
    pub resident_after_bytes: u64,
}

/// Commits `partitions` offsets in each of `groups` groups, restarts everything, and measures the
/// load.
pub fn scale(groups: u32, partitions: i32) -> ScaleReport {
    let mut node = Node::start(&["dataplane.shards=1"]);
    let mut connection = node.connect();
    let created = connection.create_topic("scale", partitions, &[]);
    assert!(created.is_ok(), "{created:?}");
    wait_for_coordinator(&mut connection, "group-0");
    let resident = |node: &Node| {
        let pid = node.controlplane_pid().expect("the control plane runs");
        let apart = node.region_dir().display().to_string();
        proc::resident(pid, &apart).map_or(0, |resident| resident.other)
    };
    let before = resident(&node);
    let begun = Instant::now();
    let address = node.address();
    let writers: Vec<_> = (0..4)
        .map(|part| std::thread::spawn(move || write_part(address, part, groups, partitions)))
        .collect();
    for writer in writers {
        writer.join().expect("every commit is taken");
    }
    let committed_in = begun.elapsed();
    assert!(node.stop().success());
    node.serve();
    let loaded_in = time_to_load(&node);
    let after = resident(&node);
    let everywhere = [("scale", partitions)];
    for group in (0..groups).step_by((groups / 200).max(1) as usize) {
        let name = format!("group-{group}");
        let offsets = committed_when_loaded(node.address(), &name, Some(&everywhere));
        assert_eq!(offsets.len(), partitions as usize);
        assert!(offsets.values().all(|offset| *offset == i64::from(group)));
    }
    ScaleReport {
        groups,
        offsets: u64::from(groups) * partitions as u64,
        committed_in,
        loaded_in,
        resident_before_bytes: before,
        resident_after_bytes: after,
    }
}

fn write_part(address: SocketAddr, part: u32, groups: u32, partitions: i32) {
    let mut connection = Connection::open(address).expect("a connection");
    for group in (part..groups).step_by(4) {
        let name = format!("group-{group}");
        let outcome = commit(
            &mut connection,
            &name,
            "scale",
            partitions,
            i64::from(group),
        );
        assert_eq!(outcome.expect("an answer"), 0, "{name}");
    }
}

/// From now until a group of every partition answers. The node says that it is ready before.
fn time_to_load(node: &Node) -> Duration {
    let begun = Instant::now();
    for group in 0..200 {
        committed_when_loaded(
            node.address(),
            &format!("group-{group}"),
            Some(&[("scale", 1)]),
        );
    }
    begun.elapsed()
}

/// Commits 0, 1, 2 … in one group until it is told to stop, over whatever connections it gets.
#[derive(Debug)]
pub struct Committer {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicI64>,
    thread: JoinHandle<i64>,
}

impl Committer {
    pub fn start(address: SocketAddr, group: &str, topic: &str) -> Committer {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicI64::new(-1));
        let (stopped, told) = (stop.clone(), acknowledged.clone());
        let (group, topic) = (group.to_owned(), topic.to_owned());
        let thread = std::thread::spawn(move || {
            let mut connection = None;
            let mut next = 0;
            while !stopped.load(Ordering::SeqCst) {
                let Some(open) = &mut connection else {
                    connection = Connection::open(address).ok();
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                };
                match commit(open, &group, &topic, 1, next) {
                    Ok(0) => {
                        told.store(next, Ordering::SeqCst);
                        next += 1;
                    }
                    Ok(code) if ASK_AGAIN.contains(&code) => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    // The topic is not in the metadata of a control plane that has just begun.
                    Ok(code) => panic!("error {code}"),
                    Err(_) => connection = None,
                }
            }
            next
        });
        Committer {
            stop,
            acknowledged,
            thread,
        }
    }

    /// The last offset whose commit was acknowledged; -1: none.
    pub fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits for `more` further acknowledgements.
    pub fn wait_for(&self, more: i64) -> bool {
        let goal = self.acknowledged() + more;
        wait_until(Duration::from_secs(30), || self.acknowledged() >= goal)
    }

    /// The first offset whose commit was not acknowledged: it may be there or not.
    pub fn finish(self) -> i64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the committer lives")
    }
}

/// A member of a group, over one connection after another.
#[derive(Debug)]
pub struct Member {
    address: SocketAddr,
    connection: Option<Connection>,
    pub group: String,
    pub id: String,
    pub generation: i32,
}

const JOIN_VERSION: i16 = 7;
const SYNC_VERSION: i16 = 5;
const HEARTBEAT_VERSION: i16 = 4;
/// MEMBER_ID_REQUIRED: the answer has the id to join with (KIP-394).
const MEMBER_ID_REQUIRED: i16 = 79;
const PROTOCOL: &str = "range";

impl Member {
    /// Joins an empty group, as its only member, and gives itself `assignment`.
    pub fn join(address: SocketAddr, group: &str, assignment: &[u8]) -> Member {
        let mut member = Member {
            address,
            connection: None,
            group: group.to_owned(),
            id: String::new(),
            generation: -1,
        };
        let first = member.ask_join();
        assert_eq!(first.error_code, MEMBER_ID_REQUIRED, "{first:?}");
        member.id = first.member_id;
        let joined = member.ask_join();
        assert_eq!(joined.error_code, 0, "{joined:?}");
        assert_eq!(joined.leader, member.id);
        member.generation = joined.generation_id;
        let request = SyncGroupRequest {
            group_id: member.group.clone(),
            generation_id: member.generation,
            member_id: member.id.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: member.id.clone(),
                assignment: assignment.to_vec(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let synced = member.connection().ask(&request, SYNC_VERSION);
        let synced = synced.expect("an answer");
        assert_eq!((synced.error_code, &*synced.assignment), (0, assignment));
        member
    }

    fn connection(&mut self) -> &mut Connection {
        let address = self.address;
        self.connection
            .get_or_insert_with(|| Connection::open(address).expect("a connection"))
    }

    fn ask_join(&mut self) -> JoinGroupResponse {
        let request = JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 10_000,
            member_id: self.id.clone(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupRequestProtocol {
                name: PROTOCOL.to_owned(),
                metadata: vec![0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
                ..Default::default()
            }],
            ..Default::default()
        };
        let answer = self.connection().ask(&request, JOIN_VERSION);
        answer.expect("an answer")
    }

    /// The code of a heartbeat; `None` while no broker answers.
    pub fn heartbeat(&mut self) -> Option<i16> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..Default::default()
        };
        if self.connection.is_none() {
            self.connection = Connection::open(self.address).ok();
        }
        let answer = self.connection.as_mut()?.ask(&request, HEARTBEAT_VERSION);
        if answer.is_err() {
            self.connection = None;
        }
        answer.ok().map(|answer| answer.error_code)
    }
}

/// What DescribeGroups says of one group.
pub fn describe(connection: &mut Connection, group: &str) -> DescribedGroup {
    let request = DescribeGroupsRequest {
        groups: vec![group.to_owned()],
        ..Default::default()
    };
    let response = connection.ask(&request, 5).expect("an answer");
    response.groups.into_iter().next().expect("the group")
}
