//! Topics: made, shown, enlarged, deleted.

use super::World;
use crate::dice::Dice;
use crate::pair::{Answers, Pair};
use crate::subject::Subject;
use precursor_model::TopicId;
use precursor_protocol::messages::create_partitions_request::*;
use precursor_protocol::messages::create_topics_request::*;
use precursor_protocol::messages::create_topics_response::CreateTopicsResponse;
use precursor_protocol::messages::delete_topics_request::*;
use precursor_protocol::messages::describe_cluster_request::DescribeClusterRequest;
use precursor_protocol::messages::describe_topic_partitions_request::*;
use precursor_protocol::messages::list_offsets_request::*;
use precursor_protocol::messages::metadata_request::*;
use precursor_protocol::messages::metadata_response::MetadataResponse;
use std::time::{Duration, Instant};

/// How long a change may take to be seen by everybody.
const SEEN_MAX: Duration = Duration::from_secs(10);

const CONFIGS: &[(&str, Option<&str>)] = &[
    ("retention.ms", Some("3600000")),
    ("retention.ms", Some("-5")),
    ("retention.ms", Some("never")),
    ("cleanup.policy", Some("delete")),
    ("cleanup.policy", Some("forget")),
    ("cleanup.policy", Some("compact,delete")),
    ("max.message.bytes", Some("100000")),
    ("max.message.bytes", Some("-1")),
    ("compression.type", Some("producer")),
    ("compression.type", Some("smallest")),
    ("compression.type", Some("uncompressed")),
    ("compression.type", Some("gzip")),
    ("compression.type", Some("zstd")),
    ("compression.lz4.level", Some("18")),
    ("message.timestamp.type", Some("LogAppendTime")),
    ("min.insync.replicas", Some("0")),
    ("segment.bytes", Some("1048576")),
    ("no.such.option", Some("1")),
    ("retention.bytes", None),
];

pub(crate) fn create(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<CreateTopicsRequest>(dice) else {
        return;
    };
    let mut name = world.topic(dice);
    if name == world.missing() {
        name = world.topics[0].clone();
    }
    if dice.once_in(20) {
        name = dice.pick(&[".".to_owned(), "..".to_owned(), "x".repeat(250)]);
    }
    let assigned = dice.once_in(8);
    let mut topic = CreatableTopic {
        name: name.clone(),
        num_partitions: dice.pick(&[1, 2, 3, 3, 0, -1, -2]),
        replication_factor: dice.pick(&[1, 1, 1, -1, 0, 2]),
        ..Default::default()
    };
    if assigned {
        let brokers = dice.pick(&[vec![1], vec![1, 1], vec![7], vec![]]);
        topic.num_partitions = dice.pick(&[-1, -1, 1]);
        topic.replication_factor = -1;
        topic.assignments = vec![CreatableReplicaAssignment {
            partition_index: dice.pick(&[0, 0, 0, 1]),
            broker_ids: brokers,
            ..Default::default()
        }];
    }
    if dice.once_in(2) {
        let (config, value) = dice.pick(CONFIGS);
        topic.configs = vec![CreatableTopicConfig {
            name: config.to_owned(),
            value: value.map(str::to_owned),
            ..Default::default()
        }];
    }
    let copies = if dice.once_in(15) { 2 } else { 1 };
    let request = CreateTopicsRequest {
        topics: vec![topic; copies],
        timeout_ms: 10_000,
        validate_only: dice.once_in(5),
        ..Default::default()
    };
    let sorted = |answer: &mut CreateTopicsResponse| {
        for topic in &mut answer.topics {
            if request.validate_only {
                // Kafka makes an id up, which no topic will have.
                topic.topic_id = TopicId::ZERO;
            }
            // What the options are is compared by describe; here the lists differ with the table.
            topic.configs = None;
        }
    };
    let answers = pair.exchange_learning(
        version,
        |_| request.clone(),
        sorted,
        |subject, answer| {
            for topic in answer.topics.iter().filter(|topic| topic.error_code == 0) {
                subject.learn_topic(&topic.name, topic.topic_id);
            }
        },
    );
    let made = |answer: &CreateTopicsResponse| {
        answer.topics.iter().all(|t| t.error_code == 0) && !answer.topics.is_empty()
    };
    if !request.validate_only && answers.is_some_and(|a| made(&a.kafka) || made(&a.ours)) {
        world.sequences.retain(|(_, topic), _| *topic != name);
        wait_until_seen(pair, &name, true);
    }
}

/// Waits until each broker serves the topic, or has forgotten it, and learns its id.
fn wait_until_seen(pair: &mut Pair, name: &str, there: bool) {
    let deadline = Instant::now() + SEEN_MAX;
    let mut ids = [None, None];
    for (subject, id) in [&mut pair.kafka, &mut pair.ours].into_iter().zip(&mut ids) {
        while Instant::now() < deadline {
            match look(subject, name) {
                Some((0, found)) if there => {
                    *id = Some(found);
                    break;
                }
                Some((3, _)) if !there => break,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
    if let [Some(kafka), Some(ours)] = ids {
        pair.learn_topic(name, Answers { kafka, ours });
    }
}

/// A topic's error, the worst of its partitions' included, and its id.
fn look(subject: &mut Subject, name: &str) -> Option<(i16, TopicId)> {
    let (error, id, partitions) = look_at_metadata(subject, name)?;
    if error != 0 && error != 3 {
        return Some((error, id));
    }
    // Kafka tells metadata before it serves the partition, or stops to.
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: name.to_owned(),
            partitions: (0..partitions.max(1))
                .map(|partition_index| ListOffsetsPartition {
                    partition_index,
                    timestamp: -1,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = subject.call(&request, 1).ok()?;
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let served = partitions.map(|p| p.error_code).max()?;
    // NOT_LEADER_OR_FOLLOWER, 6: on its way.
    Some((if served == error { error } else { 6 }, id))
}

/// Error, id and number of partitions, as metadata tells them.
fn look_at_metadata(subject: &mut Subject, name: &str) -> Option<(i16, TopicId, i32)> {
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(name.to_owned()),
            ..Default::default()
        }]),
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let answer = subject.call(&request, 12).ok()?;
    let topic = answer.topics.into_iter().next()?;
    let worst = topic.partitions.iter().map(|p| p.error_code).max();
    let error = topic.error_code.max(worst.unwrap_or(0));
    Some((error, topic.topic_id, topic.partitions.len() as i32))
}

pub(crate) fn delete(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DeleteTopicsRequest>(dice) else {
        return;
    };
    let name = world.topic(dice);
    let by_id = version >= 6 && dice.once_in(2);
    let make = |subject: &Subject| {
        let mut request = DeleteTopicsRequest {
            timeout_ms: 10_000,
            ..Default::default()
        };
        if version < 6 {
            request.topic_names = vec![name.clone()];
        } else if by_id {
            request.topics = vec![DeleteTopicState {
                topic_id: subject.topic_id(&name),
                ..Default::default()
            }];
        } else {
            request.topics = vec![DeleteTopicState {
                name: Some(name.clone()),
                ..Default::default()
            }];
        }
        request
    };
    let answers = pair.exchange(version, make, |_| {});
    if answers.is_some_and(|answers| {
        let both = [answers.kafka, answers.ours];
        both.iter()
            .any(|a| a.responses.iter().any(|r| r.error_code == 0))
    }) {
        wait_until_seen(pair, &name, false);
    }
}

pub(crate) fn delete_all(pair: &mut Pair, names: &[String]) {
    for subject in [&mut pair.kafka, &mut pair.ours] {
        let request = DeleteTopicsRequest {
            topic_names: names.to_vec(),
            timeout_ms: 10_000,
            ..Default::default()
        };
        // What does not exist need not be deleted; what stays disturbs nobody.
        let _ = subject.call(&request, 4);
    }
}

pub(crate) fn create_partitions(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<CreatePartitionsRequest>(dice) else {
        return;
    };
    let name = world.topic(dice);
    let count = dice.pick(&[1, 2, 3, 4, 0, -1]);
    let assignments = dice.once_in(4).then(|| {
        let brokers = dice.pick(&[vec![1], vec![5], vec![]]);
        vec![CreatePartitionsAssignment {
            broker_ids: brokers,
            ..Default::default()
        }]
    });
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: name.clone(),
            count,
            assignments,
            ..Default::default()
        }],
        timeout_ms: 10_000,
        validate_only: dice.once_in(3),
        ..Default::default()
    };
    let answers = pair.exchange(version, |_| request.clone(), |_| {});
    if answers.is_some_and(|a| a.kafka.results.iter().any(|r| r.error_code == 0)) {
        wait_until_seen(pair, &name, true);
    }
}

pub(crate) fn metadata(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<MetadataRequest>(dice) else {
        return;
    };
    let names: Vec<String> = match dice.pick(&[0, 1, 1, 2, 3]) {
        0 => Vec::new(),
        3 => return metadata_of_all(pair, world, version),
        1 => vec![world.topic(dice)],
        _ => vec![world.topics[0].clone(), world.topic(dice)],
    };
    let by_id = version >= 12 && dice.once_in(3);
    let include = dice.once_in(4);
    let make = |subject: &Subject| MetadataRequest {
        topics: Some(if by_id {
            let ids = names.iter().map(|name| MetadataRequestTopic {
                topic_id: subject.topic_id(name),
                name: None,
                ..Default::default()
            });
            ids.collect()
        } else {
            names.iter().map(|name| topic_by_name(name)).collect()
        }),
        allow_auto_topic_creation: version < 4,
        include_topic_authorized_operations: version >= 8 && include,
        include_cluster_authorized_operations: (8..=10).contains(&version) && include,
        ..Default::default()
    };
    if names.is_empty() && version == 0 {
        return metadata_of_all(pair, world, version);
    }
    // Before version 4 asking makes the topic: only for what is there.
    if version < 4
        && names
            .iter()
            .any(|name| look(&mut pair.kafka, name).is_none_or(|t| t.0 != 0))
    {
        return;
    }
    pair.exchange(version, make, sort_metadata);
}

fn sort_metadata(answer: &mut MetadataResponse) {
    answer
        .topics
        .sort_by_key(|topic| (topic.name.clone(), topic.error_code));
    for topic in &mut answer.topics {
        topic
            .partitions
            .sort_by_key(|partition| partition.partition_index);
    }
}

/// All topics, of which each broker has some of its own.
fn metadata_of_all(pair: &mut Pair, world: &World, version: i16) {
    let request = MetadataRequest {
        topics: (version == 0).then(Vec::new),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    let own = format!("-{}", world.seed);
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            let name = |name: &Option<String>| name.as_ref().is_some_and(|n| n.ends_with(&own));
            answer.topics.retain(|topic| name(&topic.name));
            sort_metadata(answer);
        },
    );
}

fn topic_by_name(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..Default::default()
    }
}

pub(crate) fn describe_cluster(pair: &mut Pair, _: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeClusterRequest>(dice) else {
        return;
    };
    let request = DescribeClusterRequest {
        include_cluster_authorized_operations: dice.once_in(2),
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

pub(crate) fn describe_partitions(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeTopicPartitionsRequest>(dice) else {
        return;
    };
    // An empty name makes Kafka's handler fail (-1) for every topic of the request.
    let names = [world.topic(dice), world.topic(dice)];
    if names.iter().any(String::is_empty) {
        return;
    }
    let request = DescribeTopicPartitionsRequest {
        topics: names
            .iter()
            .map(|name| TopicRequest {
                name: name.clone(),
                ..Default::default()
            })
            .collect(),
        response_partition_limit: dice.pick(&[2000, 1, 2, 0]),
        cursor: dice.once_in(3).then(|| Cursor {
            topic_name: world.topics[0].clone(),
            partition_index: dice.pick(&[0, 1, 9]),
            ..Default::default()
        }),
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}
