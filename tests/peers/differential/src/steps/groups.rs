//! Consumer groups: one member at a time by chance, and two members by a script.

use super::World;
use crate::dice::Dice;
use crate::pair::Pair;
use crate::subject::Subject;
use precursor_protocol::messages::delete_groups_request::DeleteGroupsRequest;
use precursor_protocol::messages::describe_groups_request::DescribeGroupsRequest;
use precursor_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use precursor_protocol::messages::heartbeat_request::HeartbeatRequest;
use precursor_protocol::messages::join_group_request::*;
use precursor_protocol::messages::leave_group_request::*;
use precursor_protocol::messages::list_groups_request::ListGroupsRequest;
use precursor_protocol::messages::offset_commit_request::*;
use precursor_protocol::messages::offset_delete_request::*;
use precursor_protocol::messages::offset_fetch_request::*;
use precursor_protocol::messages::offset_fetch_response::OffsetFetchResponse;
use precursor_protocol::messages::sync_group_request::*;

/// A consumer's subscription (ConsumerProtocol version 0) to one topic.
fn subscription(topic: &str) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 0, 1];
    bytes.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    bytes.extend_from_slice(topic.as_bytes());
    // No user data.
    bytes.extend_from_slice(&(-1i32).to_be_bytes());
    bytes
}

pub(crate) fn find_coordinator(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<FindCoordinatorRequest>(dice) else {
        return;
    };
    let group = dice.pick(&world.groups);
    let key_type = if version == 0 {
        0
    } else {
        dice.pick(&[0, 0, 0, 9])
    };
    let request = FindCoordinatorRequest {
        key: if version < 4 {
            group.clone()
        } else {
            String::new()
        },
        key_type,
        coordinator_keys: if version < 4 { Vec::new() } else { vec![group] },
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

/// The group's member as a request names it: the real one, one that never was, or none.
fn member(world: &World, group: usize, dice: &mut Dice) -> (String, i32) {
    match (&world.members[group], dice.between(0, 7)) {
        (_, 0) => ("nobody-of-that-name".to_owned(), 1),
        (_, 1) => (String::new(), -1),
        (Some((name, generation)), 2) => (name.clone(), generation + 3),
        (Some((name, generation)), _) => (name.clone(), *generation),
        (None, _) => ("nobody-of-that-name".to_owned(), 1),
    }
}

/// A join of the group's only member. A first join that is told to come again with an id does so.
pub(crate) fn join(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<JoinGroupRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let present = world.members[group].clone();
    // Another member would have to wait for the first one's rejoin: that is the script's matter.
    let id = match &present {
        Some((name, _)) => name.clone(),
        None if dice.once_in(8) => "nobody-of-that-name".to_owned(),
        None => String::new(),
    };
    let mut request = JoinGroupRequest {
        group_id: if dice.once_in(15) {
            String::new()
        } else {
            world.groups[group].clone()
        },
        session_timeout_ms: dice.pick(&[30_000, 30_000, 30_000, 1, 100_000_000]),
        rebalance_timeout_ms: if version < 1 { -1 } else { 30_000 },
        member_id: id,
        protocol_type: dice
            .pick(&["consumer", "consumer", "consumer", ""])
            .to_owned(),
        protocols: vec![JoinGroupRequestProtocol {
            name: dice.pick(&["range", "range", "range", "sticky"]).to_owned(),
            metadata: subscription(&world.topics[0]),
            ..Default::default()
        }],
        ..Default::default()
    };
    if dice.once_in(12) {
        request.protocols.clear();
    }
    // A group whose first join is refused stays in Kafka, empty, and is not made here.
    let refused = request.protocols.is_empty() || request.protocol_type.is_empty();
    if refused && !world.joined[group] {
        return;
    }
    let mut joined = send_join(pair, world, version, &request);
    if let Some((79, name, _)) = &joined {
        // MEMBER_ID_REQUIRED (KIP-394): come again with the id that was given.
        request.member_id = name.clone();
        joined = send_join(pair, world, version, &request);
    }
    if let Some((0, name, generation)) = joined {
        world.members[group] = Some((name, generation));
        world.joined[group] = true;
    }
}

/// Error, our name for the member, and generation, as Kafka answered.
fn send_join(
    pair: &mut Pair,
    world: &mut World,
    version: i16,
    request: &JoinGroupRequest,
) -> Option<(i16, String, i32)> {
    world.made += 1;
    let fresh = format!("member {} of {}", world.made, world.seed);
    let known = !request.member_id.is_empty();
    let name = if known {
        request.member_id.clone()
    } else {
        fresh
    };
    let make = |subject: &Subject| JoinGroupRequest {
        member_id: subject.own(&request.member_id),
        ..request.clone()
    };
    let answers = pair.exchange_learning(
        version,
        make,
        |_| {},
        |subject, answer| {
            if !known && !answer.member_id.is_empty() {
                subject.learn(&name, &answer.member_id);
            }
        },
    )?;
    Some((answers.kafka.error_code, name, answers.kafka.generation_id))
}

pub(crate) fn sync(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<SyncGroupRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let (name, generation) = member(world, group, dice);
    let named = version >= 5;
    let request = SyncGroupRequest {
        group_id: world.groups[group].clone(),
        generation_id: generation,
        protocol_type: named.then(|| dice.pick(&["consumer", "consumer", "connect"]).to_owned()),
        protocol_name: named.then(|| dice.pick(&["range", "range", "other"]).to_owned()),
        ..Default::default()
    };
    let make = |subject: &Subject| {
        let own = subject.own(&name);
        SyncGroupRequest {
            member_id: own.clone(),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: own,
                assignment: b"everything".to_vec(),
                ..Default::default()
            }],
            ..request.clone()
        }
    };
    pair.exchange(version, make, |_| {});
}

pub(crate) fn heartbeat(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<HeartbeatRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let (name, generation) = member(world, group, dice);
    let make = |subject: &Subject| HeartbeatRequest {
        group_id: world.groups[group].clone(),
        generation_id: generation,
        member_id: subject.own(&name),
        ..Default::default()
    };
    pair.exchange(version, make, |_| {});
}

pub(crate) fn leave(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<LeaveGroupRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let (name, _) = member(world, group, dice);
    let make = |subject: &Subject| {
        let mut request = LeaveGroupRequest {
            group_id: world.groups[group].clone(),
            ..Default::default()
        };
        if version < 3 {
            request.member_id = subject.own(&name);
        } else {
            request.members = vec![MemberIdentity {
                member_id: subject.own(&name),
                ..Default::default()
            }];
        }
        request
    };
    let answers = pair.exchange(version, make, |_| {});
    let left = answers.is_some_and(|answers| {
        let members = answers.kafka.members.iter();
        answers.kafka.error_code == 0 && members.clone().all(|member| member.error_code == 0)
    });
    if left
        && world.members[group]
            .as_ref()
            .is_some_and(|(present, _)| *present == name)
    {
        world.members[group] = None;
    }
}

pub(crate) fn commit(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<OffsetCommitRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let (name, generation) = member(world, group, dice);
    let topic = world.topic(dice);
    let partition = OffsetCommitRequestPartition {
        partition_index: dice.pick(&[0, 0, 1, 2, 88]),
        committed_offset: dice.pick(&[0, 1, 5, 1_000_000, -1]),
        committed_leader_epoch: if version < 6 { -1 } else { dice.pick(&[-1, 0]) },
        committed_metadata: dice.pick(&[Some("noted".to_owned()), Some(String::new()), None]),
        ..Default::default()
    };
    let make = |subject: &Subject| OffsetCommitRequest {
        group_id: world.groups[group].clone(),
        generation_id_or_member_epoch: generation,
        member_id: subject.own(&name),
        topics: vec![OffsetCommitRequestTopic {
            name: if version < 10 {
                topic.clone()
            } else {
                String::new()
            },
            topic_id: if version < 10 {
                Default::default()
            } else {
                subject.topic_id(&topic)
            },
            partitions: vec![partition.clone()],
            ..Default::default()
        }],
        ..Default::default()
    };
    pair.exchange(version, make, |_| {});
}

pub(crate) fn fetch_offsets(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<OffsetFetchRequest>(dice) else {
        return;
    };
    let group = dice.pick(&world.groups);
    let all = version >= 2 && dice.once_in(3);
    let topic = world.topic(dice);
    let make = |subject: &Subject| {
        let mut request = OffsetFetchRequest::default();
        if version < 8 {
            request.group_id = group.clone();
            request.topics = (!all).then(|| {
                vec![OffsetFetchRequestTopic {
                    name: topic.clone(),
                    partition_indexes: vec![0, 1, 55],
                    ..Default::default()
                }]
            });
        } else {
            let topics = (!all).then(|| {
                vec![OffsetFetchRequestTopics {
                    name: if version < 10 {
                        topic.clone()
                    } else {
                        String::new()
                    },
                    topic_id: if version < 10 {
                        Default::default()
                    } else {
                        subject.topic_id(&topic)
                    },
                    partition_indexes: vec![0, 1, 55],
                    ..Default::default()
                }]
            });
            request.groups = vec![OffsetFetchRequestGroup {
                group_id: group.clone(),
                topics,
                ..Default::default()
            }];
        }
        request
    };
    pair.exchange(version, make, sort_offsets);
}

fn sort_offsets(answer: &mut OffsetFetchResponse) {
    answer.topics.sort_by_key(|topic| topic.name.clone());
    for topic in &mut answer.topics {
        topic
            .partitions
            .sort_by_key(|partition| partition.partition_index);
    }
    for group in &mut answer.groups {
        group
            .topics
            .sort_by_key(|topic| (topic.name.clone(), topic.partitions.len()));
        for topic in &mut group.topics {
            topic
                .partitions
                .sort_by_key(|partition| partition.partition_index);
        }
    }
}

pub(crate) fn describe(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeGroupsRequest>(dice) else {
        return;
    };
    let request = DescribeGroupsRequest {
        groups: vec![dice.pick(&world.groups), "no such group".to_owned()],
        include_authorized_operations: version >= 3 && dice.once_in(3),
        ..Default::default()
    };
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| answer.groups.sort_by_key(|group| group.group_id.clone()),
    );
}

pub(crate) fn list(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ListGroupsRequest>(dice) else {
        return;
    };
    let states = if version >= 4 {
        dice.pick(&["", "Stable", "Empty", "stable"])
    } else {
        ""
    };
    let types = if version >= 5 {
        dice.pick(&["", "classic", "consumer"])
    } else {
        ""
    };
    let filter = |text: &str| match text {
        "" => Vec::new(),
        text => vec![text.to_owned()],
    };
    let request = ListGroupsRequest {
        states_filter: filter(states),
        types_filter: filter(types),
        ..Default::default()
    };
    let own = format!("-{}", world.seed);
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            answer.groups.retain(|group| group.group_id.ends_with(&own));
            answer.groups.sort_by_key(|group| group.group_id.clone());
        },
    );
}

pub(crate) fn delete(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DeleteGroupsRequest>(dice) else {
        return;
    };
    let group = usize::from(dice.once_in(2));
    let request = DeleteGroupsRequest {
        groups_names: vec![world.groups[group].clone(), "no such group".to_owned()],
        ..Default::default()
    };
    let answers = pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            answer.results.sort_by_key(|result| result.group_id.clone());
        },
    );
    if answers.is_some_and(|a| a.kafka.results.iter().any(|r| r.error_code == 0)) {
        world.joined[group] = false;
    }
}

pub(crate) fn delete_offsets(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<OffsetDeleteRequest>(dice) else {
        return;
    };
    let request = OffsetDeleteRequest {
        group_id: dice.pick(&world.groups),
        topics: vec![OffsetDeleteRequestTopic {
            name: world.topic(dice),
            partitions: vec![OffsetDeleteRequestPartition {
                partition_index: dice.pick(&[0, 1, 44]),
            }],
        }],
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

/// A static member that leaves its process behind and comes back, and is fenced by its successor
/// (KIP-345): everything that needs no second connection.
pub(crate) fn static_member(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let version = pair
        .version::<JoinGroupRequest>(dice)
        .filter(|version| *version >= 5);
    let Some(version) = version else { return };
    let request = JoinGroupRequest {
        group_id: format!("static-{}", world.seed),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        group_instance_id: Some("instance".to_owned()),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".to_owned(),
            metadata: subscription(&world.topics[0]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let Some((0, first, generation)) = send_join(pair, world, version, &request) else {
        return;
    };
    let sync = |subject: &Subject, name: &str, generation| {
        let own = subject.own(name);
        SyncGroupRequest {
            group_id: request.group_id.clone(),
            generation_id: generation,
            member_id: own.clone(),
            group_instance_id: Some("instance".to_owned()),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: own,
                assignment: b"all".to_vec(),
                ..Default::default()
            }],
            ..Default::default()
        }
    };
    pair.exchange(3, |subject| sync(subject, &first, generation), |_| {});
    let Some((0, second, generation)) = send_join(pair, world, version, &request) else {
        return;
    };
    for (name, generation) in [(&first, generation), (&second, generation)] {
        let beat = |subject: &Subject| HeartbeatRequest {
            group_id: request.group_id.clone(),
            generation_id: generation,
            member_id: subject.own(name),
            group_instance_id: Some("instance".to_owned()),
            ..Default::default()
        };
        pair.exchange(3, beat, |_| {});
    }
    pair.exchange(3, |subject| sync(subject, &second, generation), |_| {});
    let describe = DescribeGroupsRequest {
        groups: vec![request.group_id.clone()],
        ..Default::default()
    };
    pair.exchange(5, |_| describe.clone(), |_| {});
    let by_instance = LeaveGroupRequest {
        group_id: request.group_id.clone(),
        members: vec![MemberIdentity {
            group_instance_id: Some("instance".to_owned()),
            ..Default::default()
        }],
        ..Default::default()
    };
    for _ in 0..2 {
        pair.exchange(4, |_| by_instance.clone(), |_| {});
    }
}
