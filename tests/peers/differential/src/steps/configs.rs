//! Options: shown and changed.

use super::World;
use crate::dice::Dice;
use crate::pair::Pair;
use crate::subject::Subject;
use precursor_protocol::messages::alter_configs_request as whole;
use precursor_protocol::messages::describe_configs_request::*;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use precursor_tests_cluster::node::wait_until;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a change may take to be seen.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// Kinds of resources, as Kafka numbers them.
const TOPIC: i8 = 2;

/// Where a value comes from, as Kafka numbers it: `DYNAMIC_DEFAULT_BROKER_CONFIG`, `DEFAULT_CONFIG`.
const FOR_ALL_BROKERS: i8 = 3;
const DEFAULT: i8 = 5;

/// Options of topics that both have.
const NAMES: &[&str] = &[
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "index.interval.bytes",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
    "no.such.option",
];

pub(crate) fn describe(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<DescribeConfigsRequest>(dice) else {
        return;
    };
    let keys = vec![dice.pick(NAMES).to_owned(), dice.pick(NAMES).to_owned()];
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: dice.pick(&[TOPIC, TOPIC, TOPIC, TOPIC, 0, 99]),
            resource_name: world.topic(dice),
            configuration_keys: Some(keys),
            ..Default::default()
        }],
        include_synonyms: dice.once_in(3),
        ..Default::default()
    };
    pair.exchange(
        version,
        |_| request.clone(),
        |answer| {
            for result in &mut answer.results {
                result.configs.sort_by_key(|config| config.name.clone());
                for config in &mut result.configs {
                    config.documentation = None;
                    // Kafka sets it for all brokers of a new cluster (KIP-966).
                    if config.name == "min.insync.replicas" {
                        config.synonyms.retain(|s| s.source != FOR_ALL_BROKERS);
                        if config.config_source == FOR_ALL_BROKERS {
                            config.config_source = DEFAULT;
                        }
                    }
                }
            }
        },
    );
}

/// What options are set to: good and bad values.
const VALUES: &[(&str, Option<&str>)] = &[
    ("retention.ms", Some("7200000")),
    ("retention.ms", Some("abc")),
    ("retention.ms", None),
    ("max.message.bytes", Some("200000")),
    ("max.message.bytes", Some("-7")),
    ("cleanup.policy", Some("compact")),
    ("cleanup.policy", Some("delete")),
    ("cleanup.policy", Some("nothing")),
    ("message.timestamp.type", Some("CreateTime")),
    ("compression.type", Some("lz4")),
    ("compression.type", Some("snappy")),
    ("compression.type", None),
    ("compression.gzip.level", Some("0")),
    ("compression.zstd.level", Some("-7")),
    ("segment.bytes", Some("1048576")),
    ("segment.bytes", Some("10")),
    ("min.insync.replicas", Some("1")),
    ("no.such.option", Some("1")),
];

pub(crate) fn alter(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<IncrementalAlterConfigsRequest>(dice) else {
        return;
    };
    let (name, value) = dice.pick(VALUES);
    let config = AlterableConfig {
        name: name.to_owned(),
        config_operation: dice.pick(&[0, 0, 0, 1, 2, 3, 9]),
        value: value.map(str::to_owned),
        ..Default::default()
    };
    let copies = if dice.once_in(10) { 2 } else { 1 };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: dice.pick(&[TOPIC, TOPIC, TOPIC, TOPIC, 0]),
            resource_name: world.topic(dice),
            configs: vec![config; copies],
            ..Default::default()
        }],
        validate_only: dice.once_in(3),
        ..Default::default()
    };
    let answers = pair.exchange(version, |_| request.clone(), |_| {});
    if !request.validate_only && answers.is_some_and(|a| a.kafka.responses[0].error_code == 0) {
        wait_until_seen(pair, &request.resources[0].resource_name);
    }
}

/// Waits until both tell the same of a topic's options, or the time for that is over: Kafka answers
/// before every part of it has a change.
fn wait_until_seen(pair: &mut Pair, topic: &str) {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: topic.to_owned(),
            configuration_keys: Some(NAMES.iter().map(|name| (*name).to_owned()).collect()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let values = |subject: &mut Subject| {
        let answer = subject.call(&request, 1).ok()?;
        let configs = answer.results.into_iter().flat_map(|result| result.configs);
        Some(
            configs
                .map(|c| (c.name, c.value))
                .collect::<BTreeMap<_, _>>(),
        )
    };
    let ours = values(&mut pair.ours);
    wait_until(SEEN_MAX, || values(&mut pair.kafka) == ours);
    // What it tells it applies in the same turn of the same thread, a little later.
    std::thread::sleep(Duration::from_millis(20));
}

pub(crate) fn alter_whole(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let Some(version) = pair.version::<whole::AlterConfigsRequest>(dice) else {
        return;
    };
    let (name, value) = dice.pick(VALUES);
    let request = whole::AlterConfigsRequest {
        resources: vec![whole::AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: world.topic(dice),
            configs: vec![whole::AlterableConfig {
                name: name.to_owned(),
                value: value.map(str::to_owned),
                ..Default::default()
            }],
            ..Default::default()
        }],
        validate_only: dice.once_in(3),
        ..Default::default()
    };
    let answers = pair.exchange(version, |_| request.clone(), |_| {});
    if !request.validate_only && answers.is_some_and(|a| a.kafka.responses[0].error_code == 0) {
        wait_until_seen(pair, &request.resources[0].resource_name);
    }
}
