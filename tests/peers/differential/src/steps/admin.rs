//! The cluster as its administrators see it: quotas, log directories, resources, elections.

use super::World;
use crate::dice::Dice;
use crate::pair::Pair;
use crate::subject::Subject;
use precursor_protocol::messages::alter_client_quotas_request as alter;
use precursor_protocol::messages::alter_partition_reassignments_request::*;
use precursor_protocol::messages::describe_client_quotas_request as describe;
use precursor_protocol::messages::describe_client_quotas_response::DescribeClientQuotasResponse;
use precursor_protocol::messages::describe_log_dirs_request::*;
use precursor_protocol::messages::elect_leaders_request::*;
use precursor_protocol::messages::list_config_resources_request::ListConfigResourcesRequest;
use precursor_protocol::messages::list_partition_reassignments_request::*;
use precursor_tests_cluster::node::wait_until;
use std::time::Duration;

/// How long a change may take to be seen.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// Resources that both brokers list by the names that the sequence gave.
const TOPIC: i8 = 2;
const GROUP: i8 = 32;

/// Entities of this sequence. None is a default: it would slow down the comparison itself.
fn entity(world: &World, dice: &mut Dice) -> Vec<(&'static str, Option<String>)> {
    let user = Some(format!("user-{}", world.seed));
    let client = Some(format!("client-{}", world.seed));
    dice.pick(&[
        vec![("user", user.clone())],
        vec![("client-id", client.clone())],
        vec![("user", user), ("client-id", client.clone())],
        vec![("client-id", Some(String::new()))],
        vec![("planet", client)],
        Vec::new(),
    ])
}

pub(crate) fn alter_quotas(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<alter::AlterClientQuotasRequest>(dice) else {
        return;
    };
    let parts = entity(world, dice).into_iter();
    let parts = parts.map(|(kind, name)| alter::EntityData {
        entity_type: kind.to_owned(),
        entity_name: name,
        ..Default::default()
    });
    let keys = [
        "producer_byte_rate",
        "consumer_byte_rate",
        "request_percentage",
        "no_such_rate",
    ];
    let op = alter::OpData {
        key: dice.pick(&keys).to_owned(),
        value: dice.pick(&[1_000.0, 50.0, 0.5, 0.0, -1.0]),
        remove: dice.once_in(3),
        ..Default::default()
    };
    let entry = alter::EntryData {
        entity: parts.collect(),
        ops: vec![op],
        ..Default::default()
    };
    let request = alter::AlterClientQuotasRequest {
        entries: vec![entry],
        validate_only: dice.once_in(4),
        ..Default::default()
    };
    let answers = pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            for entry in &mut answer.entries {
                entry.entity.sort_by_key(|part| part.entity_type.clone());
            }
        },
    );
    if !request.validate_only && answers.is_some_and(|a| a.kafka.entries[0].error_code == 0) {
        wait_until_seen(pair, world);
    }
}

fn any(kind: &str) -> describe::ComponentData {
    describe::ComponentData {
        entity_type: kind.to_owned(),
        match_type: 2,
        ..Default::default()
    }
}

/// Waits until both tell the same of the sequence's quotas, or the time for that is over.
fn wait_until_seen(pair: &mut Pair, world: &World) {
    let own = format!("-{}", world.seed);
    let quotas = |subject: &mut Subject| {
        ["user", "client-id"].map(|kind| {
            let request = describe::DescribeClientQuotasRequest {
                components: vec![any(kind)],
                ..Default::default()
            };
            let mut answer = subject.call(&request, 0).ok()?;
            keep_own(&mut answer, &own);
            Some(answer.entries)
        })
    };
    let ours = quotas(&mut pair.ours);
    wait_until(SEEN_MAX, || quotas(&mut pair.kafka) == ours);
}

/// Of all sequences' entities those of this one, in order.
fn keep_own(answer: &mut DescribeClientQuotasResponse, own: &str) {
    for entry in answer.entries.iter_mut().flatten() {
        entry.entity.sort_by_key(|part| part.entity_type.clone());
        entry.values.sort_by_key(|value| value.key.clone());
    }
    if let Some(entries) = &mut answer.entries {
        entries.retain(|entry| {
            let mut names = entry.entity.iter().flat_map(|part| &part.entity_name);
            names.any(|name| name.ends_with(own))
        });
        let key =
            |entry: &precursor_protocol::messages::describe_client_quotas_response::EntryData| {
                let parts = entry.entity.iter();
                let parts = parts.map(|p| (p.entity_type.clone(), p.entity_name.clone()));
                parts.collect::<Vec<_>>()
            };
        entries.sort_by_key(key);
    }
}

pub(crate) fn describe_quotas(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<describe::DescribeClientQuotasRequest>(dice) else {
        return;
    };
    let kinds = dice.pick(&[
        vec!["user"],
        vec!["client-id"],
        vec!["user", "client-id"],
        vec!["user", "user"],
        vec!["planet"],
        vec![""],
        vec!["ip", "user"],
        Vec::new(),
    ]);
    let components = kinds.into_iter().map(|kind| describe::ComponentData {
        match_type: dice.pick(&[0, 0, 1, 2, 2, 7]),
        r#match: if dice.once_in(2) {
            Some(format!("{kind}-{}", world.seed).replace("-id", ""))
        } else {
            None
        },
        ..any(kind)
    });
    let request = describe::DescribeClientQuotasRequest {
        components: components.collect(),
        strict: dice.once_in(2),
        ..Default::default()
    };
    let own = format!("-{}", world.seed);
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| keep_own(answer, &own),
    );
}

pub(crate) fn log_dirs(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeLogDirsRequest>(dice) else {
        return;
    };
    let topic = DescribableLogDirTopic {
        topic: world.topic(dice),
        partitions: dice.pick(&[vec![0], vec![0, 1, 2, 9]]),
        ..Default::default()
    };
    let own = format!("-{}", world.seed);
    let request = DescribeLogDirsRequest {
        topics: (!dice.once_in(3)).then(|| vec![topic]),
        ..Default::default()
    };
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            for result in &mut answer.results {
                result.log_dir.clear();
                result.total_bytes = -1;
                result.usable_bytes = -1;
                result.topics.retain(|topic| topic.name.ends_with(&own));
                result.topics.sort_by_key(|topic| topic.name.clone());
                for topic in &mut result.topics {
                    topic.partitions.sort_by_key(|p| p.partition_index);
                }
            }
        },
    );
}

pub(crate) fn config_resources(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ListConfigResourcesRequest>(dice) else {
        return;
    };
    let types = dice.pick(&[
        vec![TOPIC],
        vec![GROUP],
        vec![TOPIC, GROUP],
        vec![99],
        Vec::new(),
    ]);
    let request = ListConfigResourcesRequest {
        resource_types: if version == 0 { Vec::new() } else { types },
        ..Default::default()
    };
    let own = format!("-{}", world.seed);
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            let resources = &mut answer.config_resources;
            resources.retain(|r| r.resource_type != TOPIC || r.resource_name.ends_with(&own));
            resources.sort_by_key(|r| (r.resource_type, r.resource_name.clone()));
        },
    );
}

pub(crate) fn elect(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ElectLeadersRequest>(dice) else {
        return;
    };
    let request = ElectLeadersRequest {
        election_type: if version == 0 {
            0
        } else {
            dice.pick(&[0, 0, 1, 5])
        },
        topic_partitions: Some(vec![TopicPartitions {
            topic: world.topic(dice),
            partitions: dice.pick(&[vec![0], vec![0, 1], vec![-1], vec![70]]),
            ..Default::default()
        }]),
        timeout_ms: 10_000,
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

pub(crate) fn reassignments(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<ListPartitionReassignmentsRequest>(dice) else {
        return;
    };
    let topic = ListPartitionReassignmentsTopics {
        name: world.topic(dice),
        partition_indexes: dice.pick(&[vec![0], vec![0, 1], vec![70]]),
        ..Default::default()
    };
    let request = ListPartitionReassignmentsRequest {
        timeout_ms: 10_000,
        topics: (!dice.once_in(3)).then(|| vec![topic]),
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}

/// To where the partition is, or to where it cannot be: nothing moves.
pub(crate) fn reassign(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<AlterPartitionReassignmentsRequest>(dice) else {
        return;
    };
    let request = AlterPartitionReassignmentsRequest {
        timeout_ms: 10_000,
        topics: vec![ReassignableTopic {
            name: world.topic(dice),
            partitions: vec![ReassignablePartition {
                partition_index: dice.pick(&[0, 0, 1, 70, -1]),
                replicas: dice.pick(&[
                    Some(vec![1]),
                    Some(vec![7]),
                    Some(vec![1, 1]),
                    Some(Vec::new()),
                    None,
                ]),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    pair.exchange(version, |_| request.clone(), |_| {});
}
