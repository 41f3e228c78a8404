//! Requests for the control plane that are well formed and far too much, or name what is another's:
//! each gets an answer or the end of its connection in bounded time and memory, and nobody beside
//! it notices.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use precursor_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use precursor_protocol::messages::create_topics_request::CreatableTopic;
use precursor_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use precursor_protocol::messages::{
    AlterClientQuotasRequest, CreateTopicsRequest, DeleteGroupsRequest, DescribeGroupsRequest,
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, MetadataRequest,
    OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};
use precursor_protocol::{ApiKey, Request};
use precursor_tests_cluster::groups::{self, Member};
use precursor_tests_cluster::node::Node;
use precursor_tests_cluster::proc;

use super::hostile::{Witness, node};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const UNKNOWN_MEMBER_ID: i16 = 25;
const INVALID_PARTITIONS: i16 = 37;

/// Longest that any of these may take on a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

fn memory(node: &Node) -> u64 {
    let region = node.region_dir().display().to_string();
    let pids = [node.dataplane_pid(), node.controlplane_pid()];
    let resident = |pid: Option<i32>| proc::resident(pid.unwrap(), &region).unwrap().other;
    pids.into_iter().map(resident).sum()
}

/// Sends a request on a connection of its own. `None`: the connection was ended.
fn ask<R: Request>(node: &Node, what: &str, request: &R, version: i16) -> Option<R::Response> {
    let started = Instant::now();
    let answer = node.connect().ask(request, version);
    let took = started.elapsed();
    println!(
        "{what}: {took:?}, {}",
        if answer.is_ok() { "answered" } else { "ended" }
    );
    assert!(took < ANSWERED_WITHIN, "{what} took {took:?}");
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ),
                "{what}: {error}"
            );
            None
        }
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("name-{n:07}")).collect()
}

#[test]
fn too_much_at_once_is_answered_or_ended_in_bounded_time_and_memory() {
    let node = node();
    groups::wait_for_coordinator(&mut node.connect(), "warm");
    let before = memory(&node);
    let mut most = 0;
    let mut look = |what: &str| {
        let grown = memory(&node).saturating_sub(before);
        println!("  after {what}: {} kB more", grown / 1024);
        most = most.max(grown);
    };
    let witness = Witness::start(node.address());

    let topic = |name: String, partitions| CreatableTopic {
        name,
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let mut create = CreateTopicsRequest {
        topics: vec![topic("wide".to_owned(), i32::MAX)],
        timeout_ms: 5_000,
        ..Default::default()
    };
    let answer = ask(&node, "a topic of 2 billion partitions", &create, 7).unwrap();
    assert_eq!(answer.topics[0].error_code, INVALID_PARTITIONS);
    look("partitions");
    create.topics = names(1_000_000)
        .into_iter()
        .map(|name| topic(name, 1))
        .collect();
    let answer = ask(&node, "a million topics", &create, 7);
    assert!(answer.is_none(), "more than a request may hold");
    look("a million topics");
    create.topics.truncate(300_000);
    create.validate_only = true;
    // From version 5 on the answer has every option of every topic, more than this client reads.
    let answer = ask(&node, "300,000 topics", &create, 4);
    let refused = answer
        .unwrap()
        .topics
        .into_iter()
        .filter(|topic| topic.error_code != 0);
    assert!(
        refused.count() >= 200_000,
        "one request makes no more than a cluster can hold"
    );
    look("300,000 topics");
    drop(create);

    let metadata = MetadataRequest {
        topics: Some(
            names(100_000)
                .into_iter()
                .map(|name| MetadataRequestTopic {
                    name: Some(name),
                    ..Default::default()
                })
                .collect(),
        ),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    let answer = ask(&node, "metadata of 100,000 topics", &metadata, 12);
    assert_eq!(answer.unwrap().topics.len(), 100_000);
    look("metadata");
    drop(metadata);

    ask_of_groups(&node, &mut look);
    ask_for_quotas(&node);
    look("quotas");

    let p99 = witness.p99("admin requests that ask for too much");
    assert!(p99 < Duration::from_millis(100), "{p99:?}");
    assert!(most < 384 << 20, "{most} bytes");
    node.connect().api_versions().unwrap();
}

fn ask_of_groups(node: &Node, look: &mut dyn FnMut(&str)) {
    let describe = DescribeGroupsRequest {
        groups: names(100_000),
        ..Default::default()
    };
    let answer = ask(node, "100,000 groups described", &describe, 5);
    assert_eq!(answer.unwrap().groups.len(), 100_000);
    look("described groups");
    let delete = DeleteGroupsRequest {
        groups_names: describe.groups,
        ..Default::default()
    };
    let answer = ask(node, "100,000 groups deleted", &delete, 2);
    assert_eq!(answer.unwrap().results.len(), 100_000);
    look("deleted groups");
    let find = FindCoordinatorRequest {
        coordinator_keys: delete.groups_names,
        ..Default::default()
    };
    let answer = ask(node, "100,000 coordinators", &find, 4);
    assert_eq!(answer.unwrap().coordinators.len(), 100_000);
    look("coordinators");
    let fetch = OffsetFetchRequest {
        groups: find
            .coordinator_keys
            .into_iter()
            .map(|group_id| OffsetFetchRequestGroup {
                group_id,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let answer = ask(node, "100,000 groups' offsets", &fetch, 9);
    assert_eq!(answer.unwrap().groups.len(), 100_000);
    look("offsets");
    let commit = OffsetCommitRequest {
        group_id: "greedy".to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: "witness".to_owned(),
            partitions: (0..200_000)
                .map(|partition_index| OffsetCommitRequestPartition {
                    partition_index,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = ask(node, "200,000 partitions committed", &commit, 9);
    if let Some(answer) = answer {
        let all = &answer.topics[0].partitions;
        assert!(
            all[1..]
                .iter()
                .all(|p| p.error_code == UNKNOWN_TOPIC_OR_PARTITION)
        );
    }
    look("committed");
    drop(commit);
    let join = JoinGroupRequest {
        group_id: "greedy".to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        protocol_type: "consumer".to_owned(),
        protocols: (0..100_000)
            .map(|n| JoinGroupRequestProtocol {
                name: format!("protocol-{n}"),
                metadata: vec![7; 100],
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let answer = ask(node, "a member with 100,000 protocols", &join, 9);
    assert_ne!(answer.unwrap().error_code, 0, "no client has so many");
    look("joined");
    drop(join);
}

fn ask_for_quotas(node: &Node) {
    let quotas = AlterClientQuotasRequest {
        entries: names(50_000)
            .into_iter()
            .map(|name| EntryData {
                entity: vec![EntityData {
                    entity_type: "client-id".to_owned(),
                    entity_name: Some(name),
                    ..Default::default()
                }],
                ops: vec![OpData {
                    key: "producer_byte_rate".to_owned(),
                    value: 1000.0,
                    ..Default::default()
                }],
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let answer = ask(node, "50,000 quotas", &quotas, 1);
    assert_eq!(answer.unwrap().entries.len(), 50_000);
}

#[test]
fn a_length_that_no_request_has_room_for_is_not_believed() {
    let node = node();
    let before = memory(&node);
    let kinds = (0..100)
        .filter_map(ApiKey::from_i16)
        .filter(|key| *key != ApiKey::Produce);
    for key in kinds {
        for filler in [[0x7f; 64], [0xff; 64]] {
            for version in [0, 1, 2, 5] {
                let mut connection = node.connect();
                let timeout = Some(Duration::from_millis(300));
                connection.stream().set_read_timeout(timeout).unwrap();
                let mut body = filler.to_vec();
                // 2^31 - 1 elements, as a varint and as an integer.
                body.splice(0..0, [0xff, 0xff, 0xff, 0xff, 0x07, 0x7f, 0xff, 0xff, 0xff]);
                connection.send(key, version, &body).unwrap();
                let _ = connection.receive();
            }
        }
    }
    let grown = memory(&node).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes for nothing");
    node.connect().api_versions().unwrap();
}

#[test]
fn a_foreign_member_is_refused_and_the_group_goes_on() {
    let node = node();
    let mut connection = node.connect();
    groups::wait_for_coordinator(&mut connection, "mine");
    let mut member = Member::join(node.address(), "mine", b"mine");
    let heartbeat = HeartbeatRequest {
        group_id: "mine".to_owned(),
        generation_id: member.generation,
        member_id: "somebody-else".to_owned(),
        ..Default::default()
    };
    let answer = connection.ask(&heartbeat, 4).unwrap();
    assert_eq!(answer.error_code, UNKNOWN_MEMBER_ID);
    let sync = SyncGroupRequest {
        group_id: "mine".to_owned(),
        generation_id: member.generation,
        member_id: "somebody-else".to_owned(),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("range".to_owned()),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: member.id.clone(),
            assignment: b"stolen".to_vec(),
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(
        connection.ask(&sync, 5).unwrap().error_code,
        UNKNOWN_MEMBER_ID
    );
    let commit = OffsetCommitRequest {
        group_id: "mine".to_owned(),
        generation_id_or_member_epoch: member.generation,
        member_id: "somebody-else".to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: "witness".to_owned(),
            partitions: vec![OffsetCommitRequestPartition {
                committed_offset: 7,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = connection.ask(&commit, 9).unwrap();
    assert_eq!(answer.topics[0].partitions[0].error_code, UNKNOWN_MEMBER_ID);
    assert_eq!(member.heartbeat(), Some(0), "no rebalance was begun");
    let group = groups::describe(&mut connection, "mine");
    assert_eq!(group.members.len(), 1);
    assert_eq!(&*group.members[0].member_assignment, b"mine");
}
