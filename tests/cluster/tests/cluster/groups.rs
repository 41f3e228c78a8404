//! Groups and committed offsets of running brokers.

use std::time::{Duration, Instant};

use precursor_tests_cluster::groups::{
    self, Committer, Member, committed_when_loaded, describe, scale, wait_for_coordinator,
};
use precursor_tests_cluster::node::{Node, wait_until};

const TOPIC: &str = "read";
const GROUP: &str = "readers";

fn node() -> Node {
    let node = Node::start(&["dataplane.shards=2"]);
    let mut connection = node.connect();
    let created = connection.create_topic(TOPIC, 4, &[]);
    assert!(created.is_ok(), "{created:?}");
    wait_for_coordinator(&mut connection, GROUP);
    node
}

fn committed(node: &Node) -> i64 {
    let offsets = committed_when_loaded(node.address(), GROUP, Some(&[(TOPIC, 1)]));
    offsets[&(TOPIC.to_owned(), 0)]
}

/// Kills by `kill` while offsets are committed; none that was acknowledged may be lost, and none
/// may go back.
fn commits_survive(kills: usize, mut kill: impl FnMut(&mut Node)) {
    let mut node = node();
    for _ in 0..kills {
        let committer = Committer::start(node.address(), GROUP, TOPIC);
        assert!(committer.wait_for(200), "commits are taken");
        kill(&mut node);
        let acknowledged = committer.acknowledged();
        let unsure = committer.finish();
        let found = committed(&node);
        println!("{acknowledged} acknowledged, {found} found, {unsure} under way");
        assert!((acknowledged..=unsure).contains(&found));
    }
}

#[test]
fn committed_offsets_outlive_everything() {
    commits_survive(4, |node| {
        node.kill_everything();
        node.serve();
    });
}

#[test]
fn commits_go_on_while_the_data_plane_dies() {
    let mut node = node();
    let committer = Committer::start(node.address(), GROUP, TOPIC);
    for _ in 0..5 {
        assert!(committer.wait_for(200), "commits are taken");
        node.kill_dataplane();
    }
    assert!(committer.wait_for(200), "commits are taken");
    let next = committer.finish();
    assert_eq!(committed(&node), next - 1);
    assert!(node.stop().success());
    node.serve();
    assert_eq!(committed(&node), next - 1, "the log says the same");
}

#[test]
fn a_stop_is_heard_while_commits_come_without_end() {
    let mut node = node();
    let groups: Vec<String> = (0..16).map(|number| format!("{GROUP}-{number}")).collect();
    let start = |group: &String| Committer::start(node.address(), group, TOPIC);
    let committers: Vec<Committer> = groups.iter().map(start).collect();
    for committer in &committers {
        assert!(committer.wait_for(200), "commits are taken");
    }
    let begun = Instant::now();
    assert!(node.stop().success());
    let took = begun.elapsed();
    println!("stopped after {took:?}");
    for committer in committers {
        committer.finish();
    }
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn commits_go_on_while_the_control_plane_dies() {
    let mut node = node();
    let committer = Committer::start(node.address(), GROUP, TOPIC);
    for _ in 0..5 {
        assert!(committer.wait_for(200), "commits are taken");
        node.kill_controlplane();
    }
    assert!(committer.wait_for(200), "commits are taken");
    let next = committer.finish();
    assert_eq!(committed(&node), next - 1);
}

#[test]
fn what_a_lost_region_took_is_not_remembered() {
    let mut node = node();
    let committer = Committer::start(node.address(), GROUP, TOPIC);
    assert!(committer.wait_for(500), "commits are taken");
    let unsure = committer.finish();
    node.kill_everything();
    node.lose_region();
    node.serve();
    let found = committed(&node);
    assert!((-1..=unsure).contains(&found), "{found} of {unsure}");
    // What is committed from now on is what counts, also after another start.
    let mut connection = node.connect();
    let code = groups::commit(&mut connection, GROUP, TOPIC, 1, 7).unwrap();
    assert_eq!(code, 0);
    assert!(node.stop().success());
    node.serve();
    assert_eq!(committed(&node), 7);
}

#[test]
fn only_what_exists_can_be_committed_for() {
    let node = node();
    let mut connection = node.connect();
    let mut commit =
        |topic, partitions| groups::commit(&mut connection, GROUP, topic, partitions, 1).unwrap();
    assert_eq!(commit(TOPIC, 4), 0);
    assert_eq!(commit(TOPIC, 5), 3, "UNKNOWN_TOPIC_OR_PARTITION");
    assert_eq!(commit("nowhere", 1), 3);
    let all = committed_when_loaded(node.address(), GROUP, None);
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.values().all(|offset| *offset == 1));
}

#[test]
fn a_deleted_topics_offsets_are_forgotten() {
    let node = node();
    let mut connection = node.connect();
    connection.create_topic("passing", 2, &[]).unwrap();
    for topic in [TOPIC, "passing"] {
        let code = groups::commit(&mut connection, GROUP, topic, 2, 9).unwrap();
        assert_eq!(code, 0);
    }
    connection.delete_topic("passing").unwrap();
    let gone = wait_until(Duration::from_secs(10), || {
        let all = committed_when_loaded(node.address(), GROUP, None);
        all.keys().all(|(topic, _)| topic == TOPIC)
    });
    assert!(gone);
    assert_eq!(committed(&node), 9);
}

#[test]
fn many_groups_are_loaded_at_a_start() {
    let report = scale(2_000, 10);
    println!("{report:?}");
    assert!(report.loaded_in < Duration::from_secs(5), "{report:?}");
}

/// Heartbeats go on through `kill`: until the broker is back nobody is told that the group is gone.
fn stays_a_member(node: &Node, member: &mut Member) {
    let mut good = 0;
    let back = wait_until(Duration::from_secs(20), || {
        match member.heartbeat() {
            Some(0) => good += 1,
            // COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: clients look for it again.
            Some(15 | 16) | None => good = 0,
            Some(code) => panic!("error {code}"),
        }
        good >= 20
    });
    assert!(back, "heartbeats are answered again");
    let described = describe(&mut node.connect(), &member.group);
    assert_eq!(described.group_state, "Stable", "{described:?}");
    let [only] = &described.members[..] else {
        panic!("one member: {described:?}");
    };
    assert_eq!(only.member_id, member.id);
    assert_eq!(only.member_assignment, b"mine");
}

#[test]
fn a_group_outlives_each_process() {
    let mut node = Node::start(&["dataplane.shards=2", "group.initial.rebalance.delay.ms=0"]);
    wait_for_coordinator(&mut node.connect(), GROUP);
    let mut member = Member::join(node.address(), GROUP, b"mine");
    stays_a_member(&node, &mut member);
    node.kill_controlplane();
    stays_a_member(&node, &mut member);
    node.kill_dataplane();
    stays_a_member(&node, &mut member);
    node.kill_everything();
    node.serve();
    stays_a_member(&node, &mut member);
    assert!(node.stop().success());
    node.serve();
    stays_a_member(&node, &mut member);
}

/// The answer to a commit leaves the shard that appends it, before the coordinator hears of the
/// append: whoever asks then, by any shard, must find it committed.
#[test]
fn a_commit_is_seen_by_all_as_soon_as_it_is_answered() {
    let node = node();
    // More than the shards, whichever they land on.
    let mut connections: Vec<_> = (0..8).map(|_| node.connect()).collect();
    let begun = Instant::now();
    let mut offset = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        for at in 0..connections.len() {
            offset += 1;
            let code = groups::commit(&mut connections[at], GROUP, TOPIC, 1, offset);
            assert_eq!(code.expect("an answer"), 0);
            let other = (offset as usize * 3 + at) % connections.len();
            let seen = groups::committed(&mut connections[other], GROUP, Some(&[(TOPIC, 1)]));
            let seen = seen.expect("an answer").expect("offsets");
            assert_eq!(seen[&(TOPIC.to_owned(), 0)], offset);
        }
    }
    assert!(offset > 100, "{offset} commits");
}
