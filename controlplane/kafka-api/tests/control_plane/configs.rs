//! Options and quotas over the protocol, and what shards are told of them.

use crate::plane::{FakeShard, Ground, Plane, call, settle, shards};
use crate::{create, topic};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use precursor_protocol::messages::alter_configs_request as replace;
use precursor_protocol::messages::describe_client_quotas_request::ComponentData;
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use precursor_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, AlterConfigsRequest, AlterConfigsResponse,
    DescribeClientQuotasRequest, DescribeClientQuotasResponse, DescribeConfigsRequest,
    DescribeConfigsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use std::time::{Duration, Instant};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub fn resource(
    kind: i8,
    name: &str,
    operations: &[(&str, i8, Option<&str>)],
) -> AlterConfigsResource {
    let configs = operations
        .iter()
        .map(|(name, operation, value)| AlterableConfig {
            name: name.to_string(),
            config_operation: *operation,
            value: value.map(Into::into),
            ..AlterableConfig::default()
        });
    AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: configs.collect(),
        ..AlterConfigsResource::default()
    }
}

fn alter(
    shards: &mut [FakeShard],
    validate_only: bool,
    resources: Vec<AlterConfigsResource>,
) -> Vec<(Option<ErrorCode>, String)> {
    let request = IncrementalAlterConfigsRequest {
        resources,
        validate_only,
        ..IncrementalAlterConfigsRequest::default()
    };
    let body = call(shards, ApiKey::IncrementalAlterConfigs, 1, |out| {
        request.encode(out, 1).unwrap();
    });
    let response = IncrementalAlterConfigsResponse::decode(&body, 1).unwrap();
    let outcome = response.responses.into_iter();
    outcome
        .map(|r| {
            (
                ErrorCode::from_code(r.error_code),
                r.error_message.unwrap_or_default(),
            )
        })
        .collect()
}

pub fn alter_one(shards: &mut [FakeShard], resource: AlterConfigsResource) -> (ErrorCode, String) {
    let (error, message) = alter(shards, false, vec![resource]).remove(0);
    (error.unwrap(), message)
}

fn describe(shards: &mut [FakeShard], kind: i8, name: &str) -> Vec<DescribeConfigsResourceResult> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            ..DescribeConfigsResource::default()
        }],
        include_synonyms: true,
        include_documentation: true,
        ..DescribeConfigsRequest::default()
    };
    let body = call(shards, ApiKey::DescribeConfigs, 4, |out| {
        request.encode(out, 4).unwrap();
    });
    let response = DescribeConfigsResponse::decode(&body, 4).unwrap();
    assert_eq!(response.results[0].error_code, 0);
    response.results[0].configs.clone()
}

pub fn described(
    shards: &mut [FakeShard],
    kind: i8,
    name: &str,
    option: &str,
) -> (String, i8, Vec<i8>) {
    let configs = describe(shards, kind, name);
    let config = configs.into_iter().find(|c| c.name == option).unwrap();
    assert!(config.documentation.is_some() && config.config_type > 0);
    let sources = config.synonyms.iter().map(|s| s.source).collect();
    (config.value.unwrap(), config.config_source, sources)
}

#[test]
fn a_topics_options_change_and_every_shard_has_them_with_the_answer() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    let set = resource(TOPIC, "a", &[("retention.ms", SET, Some("5"))]);
    assert_eq!(
        alter(&mut shards, true, vec![set.clone()])[0].0,
        Some(ErrorCode::None)
    );
    assert_eq!(
        described(&mut shards, TOPIC, "a", "retention.ms").0,
        "604800000"
    );
    assert_eq!(alter_one(&mut shards, set).0, ErrorCode::None);
    for shard in &shards {
        let known = shard.topics.values().find(|t| t.name == "a").unwrap();
        assert_eq!(known.configs["retention.ms"], "5");
    }
    let told = described(&mut shards, TOPIC, "a", "retention.ms");
    assert_eq!(told, ("5".to_owned(), 1, vec![1, 5]));
    for (operation, value, error, word) in [
        (SET, Some("soon"), ErrorCode::InvalidConfig, "retention.ms"),
        (SET, None, ErrorCode::InvalidRequest, "Null value"),
        (APPEND, Some("1"), ErrorCode::InvalidConfig, "not LIST"),
        (9, Some("1"), ErrorCode::InvalidRequest, "operation"),
    ] {
        let bad = resource(TOPIC, "a", &[("retention.ms", operation, value)]);
        let (code, message) = alter_one(&mut shards, bad);
        assert_eq!(code, error, "{message}");
        assert!(message.contains(word), "{message}");
    }
    let unknown = resource(TOPIC, "a", &[("retention.m", SET, Some("5"))]);
    let (code, message) = alter_one(&mut shards, unknown);
    assert_eq!(code, ErrorCode::InvalidConfig);
    assert!(message.contains("'retention.ms'"), "{message}");
    let absent = resource(TOPIC, "b", &[("retention.ms", SET, Some("5"))]);
    assert_eq!(
        alter_one(&mut shards, absent).0,
        ErrorCode::UnknownTopicOrPartition
    );
    // In Kafka's order: lists, the name, values, and last whether there is such a topic.
    for (name, option, operation, value, error) in [
        ("", "retention.ms", APPEND, "1", ErrorCode::InvalidConfig),
        ("", "retention.ms", SET, "soon", ErrorCode::InvalidRequest),
        (
            "no name",
            "retention.ms",
            SET,
            "soon",
            ErrorCode::InvalidTopicException,
        ),
        ("b", "retention.ms", SET, "soon", ErrorCode::InvalidConfig),
        ("b", "cleanup.policy", APPEND, "x", ErrorCode::InvalidConfig),
        (
            "b",
            "no.such",
            DELETE,
            "",
            ErrorCode::UnknownTopicOrPartition,
        ),
        ("a", "no.such", DELETE, "", ErrorCode::None),
    ] {
        let change = resource(TOPIC, name, &[(option, operation, Some(value))]);
        let (code, message) = alter_one(&mut shards, change);
        assert_eq!(code, error, "{name} {option}: {message}");
    }
    let doubled = [
        ("retention.ms", SET, Some("1")),
        ("retention.ms", SET, Some("1")),
    ];
    let (code, _) = alter_one(&mut shards, resource(TOPIC, "b", &doubled));
    assert_eq!(code, ErrorCode::InvalidRequest);
    // Lists grow and shrink.
    let key = "leader.replication.throttled.replicas";
    for (operation, items, left) in [
        (APPEND, "0:1,1:1", "0:1,1:1"),
        (APPEND, "1:1,2:1", "0:1,1:1,2:1"),
        (SUBTRACT, "0:1", "1:1,2:1"),
    ] {
        let change = resource(TOPIC, "a", &[(key, operation, Some(items))]);
        assert_eq!(alter_one(&mut shards, change).0, ErrorCode::None);
        assert_eq!(described(&mut shards, TOPIC, "a", key).0, left);
    }
    let unset = resource(
        TOPIC,
        "a",
        &[("retention.ms", DELETE, None), (key, DELETE, None)],
    );
    assert_eq!(alter_one(&mut shards, unset).0, ErrorCode::None);
    for shard in &shards {
        let known = shard.topics.values().find(|t| t.name == "a").unwrap();
        assert!(known.configs.is_empty());
    }
}

#[test]
fn the_nodes_options_change_while_it_runs_and_stay_changed() {
    let ground = Ground::new();
    let mut generation = 0;
    for restart in [false, true] {
        let plane = Plane::start(&ground, true);
        let mut shards = shards(&ground);
        settle(&plane, &mut shards);
        generation += 1;
        assert!(generation <= 2);
        if !restart {
            let changes = vec![
                resource(BROKER, "", &[("message.max.bytes", SET, Some("2000"))]),
                resource(BROKER, "1", &[("connections.max", SET, Some("77"))]),
                resource(BROKER, "2", &[("connections.max", SET, Some("77"))]),
            ];
            let outcomes = alter(&mut shards, false, changes);
            let refused = outcomes
                .iter()
                .filter(|(code, _)| *code != Some(ErrorCode::None));
            let refused: Vec<_> = refused.collect();
            assert_eq!(refused.len(), 1);
            assert!(refused[0].1.contains("expected 1"), "{}", refused[0].1);
        }
        for shard in &shards {
            assert_eq!(shard.options["topic.max.message.bytes"], "2000");
            assert_eq!(shard.options["connections.max"], "77");
        }
        let told = described(&mut shards, BROKER, "1", "message.max.bytes");
        assert_eq!(told, ("2000".to_owned(), 3, vec![3, 5]));
        assert_eq!(described(&mut shards, BROKER, "1", "connections.max").1, 2);
        assert_eq!(describe(&mut shards, BROKER, "").len(), 1);
        let name = if restart { "after" } else { "before" };
        create(&mut shards, 7, false, vec![topic(name, 1, 1)]);
        let told = described(&mut shards, TOPIC, name, "max.message.bytes");
        assert_eq!(told, ("2000".to_owned(), 3, vec![3, 5]));
    }
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let unset = vec![
        resource(BROKER, "", &[("message.max.bytes", DELETE, None)]),
        resource(BROKER, "1", &[("connections.max", DELETE, None)]),
    ];
    alter(&mut shards, false, unset);
    for shard in &shards {
        assert_eq!(shard.options["topic.max.message.bytes"], "1048588");
        assert_eq!(shard.options["connections.max"], "16384");
    }
    for (name, value, word) in [
        ("node.id", "5", "restart"),
        ("log.retention.hours", "5", "'log.retention.ms'"),
        ("num.partition", "5", "'num.partitions'"),
        ("num.partitions", "0", "from 1"),
    ] {
        let (code, message) = alter_one(
            &mut shards,
            resource(BROKER, "1", &[(name, SET, Some(value))]),
        );
        assert_eq!(code, ErrorCode::InvalidRequest);
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn options_of_the_control_plane_are_in_force_at_once() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let change = resource(
        BROKER,
        "",
        &[
            ("num.partitions", SET, Some("6")),
            ("delete.topic.enable", SET, Some("false")),
        ],
    );
    assert_eq!(alter_one(&mut shards, change).0, ErrorCode::None);
    let made = create(&mut shards, 7, false, vec![topic("six", -1, -1)]);
    assert_eq!(made.topics[0].num_partitions, 6);
    let refused = crate::delete(
        &mut shards,
        5,
        &precursor_protocol::messages::DeleteTopicsRequest {
            topic_names: vec!["six".into()],
            ..Default::default()
        },
    );
    assert_eq!(refused, [ErrorCode::TopicDeletionDisabled.code()]);
    let change = resource(
        BROKER,
        "",
        &[
            ("default.replication.factor", SET, Some("2")),
            ("telemetry.max.bytes", SET, Some("4096")),
        ],
    );
    assert_eq!(alter_one(&mut shards, change).0, ErrorCode::None);
    let made = create(&mut shards, 7, false, vec![topic("two", 1, -1)]);
    let expected = ErrorCode::InvalidReplicationFactor.code();
    assert_eq!(made.topics[0].error_code, expected);
    let answer = crate::telemetry::ask(&mut shards, [0; 16]);
    assert_eq!(answer.telemetry_max_bytes, 4096);
}

#[test]
fn the_older_request_replaces_everything_that_is_set() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    for (version, name, other) in [
        (0, "retention.ms", "segment.ms"),
        (2, "segment.ms", "retention.ms"),
    ] {
        let config = replace::AlterableConfig {
            name: name.into(),
            value: Some("9".into()),
            ..replace::AlterableConfig::default()
        };
        let request = AlterConfigsRequest {
            resources: vec![replace::AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: "a".into(),
                configs: vec![config],
                ..replace::AlterConfigsResource::default()
            }],
            ..AlterConfigsRequest::default()
        };
        let body = call(&mut shards, ApiKey::AlterConfigs, version, |out| {
            request.encode(out, version).unwrap();
        });
        let response = AlterConfigsResponse::decode(&body, version).unwrap();
        assert_eq!(response.responses[0].error_code, 0);
        assert_eq!(described(&mut shards, TOPIC, "a", name).1, 1);
        assert_eq!(described(&mut shards, TOPIC, "a", other).1, 5);
    }
}

pub fn entity(parts: &[(&str, Option<&str>)]) -> Vec<EntityData> {
    let part = |(kind, name): &(&str, Option<&str>)| EntityData {
        entity_type: kind.to_string(),
        entity_name: name.map(Into::into),
        ..EntityData::default()
    };
    parts.iter().map(part).collect()
}

pub fn alter_quota(
    shards: &mut [FakeShard],
    parts: &[(&str, Option<&str>)],
    key: &str,
    value: Option<f64>,
) -> (ErrorCode, String) {
    let op = OpData {
        key: key.into(),
        value: value.unwrap_or(0.0),
        remove: value.is_none(),
        ..OpData::default()
    };
    let request = AlterClientQuotasRequest {
        entries: vec![EntryData {
            entity: entity(parts),
            ops: vec![op],
            ..EntryData::default()
        }],
        ..AlterClientQuotasRequest::default()
    };
    let body = call(shards, ApiKey::AlterClientQuotas, 1, |out| {
        request.encode(out, 1).unwrap();
    });
    let response = AlterClientQuotasResponse::decode(&body, 1).unwrap();
    let entry = &response.entries[0];
    let error = ErrorCode::from_code(entry.error_code).unwrap();
    (error, entry.error_message.clone().unwrap_or_default())
}

fn quotas(
    shards: &mut [FakeShard],
    strict: bool,
    components: &[(&str, i8, Option<&str>)],
) -> usize {
    let component = |(kind, match_type, name): &(&str, i8, Option<&str>)| ComponentData {
        entity_type: kind.to_string(),
        match_type: *match_type,
        r#match: name.map(Into::into),
        ..ComponentData::default()
    };
    let request = DescribeClientQuotasRequest {
        components: components.iter().map(component).collect(),
        strict,
        ..DescribeClientQuotasRequest::default()
    };
    let body = call(shards, ApiKey::DescribeClientQuotas, 1, |out| {
        request.encode(out, 1).unwrap();
    });
    let response = DescribeClientQuotasResponse::decode(&body, 1).unwrap();
    assert_eq!(response.error_code, 0, "{:?}", response.error_message);
    response.entries.unwrap().len()
}

#[test]
fn quotas_are_kept_found_and_told_to_the_shards() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let alice = [("user", Some("alice"))];
    let both = [("user", Some("alice")), ("client-id", None)];
    let everybody = [("client-id", None)];
    for parts in [&alice[..], &both, &everybody] {
        let outcome = alter_quota(&mut shards, parts, "producer_byte_rate", Some(1024.0));
        assert_eq!(outcome.0, ErrorCode::None, "{}", outcome.1);
    }
    assert!(shards.iter().all(|shard| shard.quotas.len() == 3));
    const EXACT: i8 = 0;
    const DEFAULT: i8 = 1;
    const ANY: i8 = 2;
    assert_eq!(quotas(&mut shards, false, &[]), 3);
    assert_eq!(quotas(&mut shards, true, &[]), 0);
    assert_eq!(
        quotas(&mut shards, false, &[("user", EXACT, Some("alice"))]),
        2
    );
    assert_eq!(
        quotas(&mut shards, true, &[("user", EXACT, Some("alice"))]),
        1
    );
    assert_eq!(
        quotas(&mut shards, true, &[("client-id", DEFAULT, None)]),
        1
    );
    assert_eq!(
        quotas(
            &mut shards,
            true,
            &[("user", ANY, None), ("client-id", ANY, None)]
        ),
        1
    );
    assert_eq!(quotas(&mut shards, false, &[("ip", ANY, None)]), 0);
    for (parts, key, value, word) in [
        (&alice[..], "producer_byte_rate", 0.0, "greater than 0"),
        (&alice, "producer_byte_rate", 1.5, "fractional"),
        (&alice, "producer_byte_rates", 1.0, "producer_byte_rate?"),
        (&alice, "controller_mutation_rate", 1.0, "not enforced"),
        (
            &[("ip", Some("1.2.3.4"))],
            "connection_creation_rate",
            1.0,
            "not enforced",
        ),
        (
            &[("users", Some("x"))],
            "producer_byte_rate",
            1.0,
            "entity type",
        ),
        (
            &[("user", Some(""))],
            "producer_byte_rate",
            1.0,
            "Empty user",
        ),
        (&[], "producer_byte_rate", 1.0, "empty client quota"),
    ] {
        let (error, message) = alter_quota(&mut shards, parts, key, Some(value));
        assert_eq!(error, ErrorCode::InvalidRequest);
        assert!(message.contains(word), "{message}");
    }
    // What nobody knows is not set, and may be taken away.
    let (error, _) = alter_quota(&mut shards, &alice, "producer_byte_rates", None);
    assert_eq!(error, ErrorCode::None);
    for parts in [&alice[..], &both, &everybody] {
        alter_quota(&mut shards, parts, "producer_byte_rate", None);
    }
    assert!(shards.iter().all(|shard| shard.quotas.is_empty()));
}

#[test]
pub fn resources_with_options_are_listed() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    let mut list = |version: i16, types: Vec<i8>| {
        let request = ListConfigResourcesRequest {
            resource_types: types,
            ..ListConfigResourcesRequest::default()
        };
        let body = call(&mut shards, ApiKey::ListConfigResources, version, |out| {
            request.encode(out, version).unwrap();
        });
        let response = ListConfigResourcesResponse::decode(&body, version).unwrap();
        let resources = response.config_resources.into_iter();
        let resources: Vec<_> = resources
            .map(|r| (r.resource_type, r.resource_name))
            .collect();
        (response.error_code, resources)
    };
    assert_eq!(list(0, vec![]), (0, vec![]));
    assert_eq!(list(1, vec![TOPIC]), (0, vec![(TOPIC, "a".to_owned())]));
    assert_eq!(list(1, vec![]).1.len(), 3);
    assert_eq!(list(1, vec![77]).0, ErrorCode::UnsupportedVersion.code());
}

#[test]
fn requests_that_ask_for_very_much_are_answered_within_bounds() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    let begun = Instant::now();
    // The same topic a hundred thousand times, and as many that there are not.
    let named = |name: String| DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: name,
        ..DescribeConfigsResource::default()
    };
    let same = (0..100_000).map(|_| named("a".into()));
    let other = (0..100_000).map(|number| named(format!("x{number}")));
    let request = DescribeConfigsRequest {
        resources: same.chain(other).collect(),
        ..DescribeConfigsRequest::default()
    };
    let body = call(&mut shards, ApiKey::DescribeConfigs, 4, |out| {
        request.encode(out, 4).unwrap();
    });
    let response = DescribeConfigsResponse::decode(&body, 4).unwrap();
    assert_eq!(response.results.len(), 100_001);
    let twice = resource(TOPIC, "a", &[("retention.ms", SET, Some("5"))]);
    let outcomes = alter(&mut shards, false, vec![twice; 100_000]);
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].0, Some(ErrorCode::InvalidRequest));
    let operation = ("retention.ms", SET, Some("5"));
    let keys = resource(TOPIC, "a", &vec![operation; 100_000]);
    assert_eq!(alter_one(&mut shards, keys).0, ErrorCode::InvalidRequest);
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
}
