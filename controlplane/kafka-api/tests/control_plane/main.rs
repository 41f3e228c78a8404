//! The control plane against shards played by the test: real region, rings, log on disk.

mod answers;
mod configs;
mod mistakes;
mod own;
mod plane;
mod telemetry;

use plane::{FakeShard, Ground, Plane, call, frame, pump_until, settle, shards};
use precursor_bridge::REQUEST_LENGTH_MAX;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use precursor_protocol::messages::delete_topics_request::DeleteTopicState;
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DescribeClusterRequest, DescribeClusterResponse, DescribeConfigsRequest,
    DescribeConfigsResponse, InitProducerIdRequest, InitProducerIdResponse,
};
use precursor_shm::control::ToControl;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

fn topic(name: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: factor,
        ..CreatableTopic::default()
    }
}

fn create(
    shards: &mut [FakeShard],
    version: i16,
    validate_only: bool,
    topics: Vec<CreatableTopic>,
) -> CreateTopicsResponse {
    let request = CreateTopicsRequest {
        topics,
        validate_only,
        ..CreateTopicsRequest::default()
    };
    let body = call(shards, ApiKey::CreateTopics, version, |out| {
        request.encode(out, version).unwrap();
    });
    CreateTopicsResponse::decode(&body, version).unwrap()
}

fn create_one(shards: &mut [FakeShard], version: i16, topic: CreatableTopic) -> (i16, String) {
    let response = create(shards, version, false, vec![topic]);
    let result = &response.topics[0];
    (
        result.error_code,
        result.error_message.clone().unwrap_or_default(),
    )
}

fn delete(shards: &mut [FakeShard], version: i16, request: &DeleteTopicsRequest) -> Vec<i16> {
    let body = call(shards, ApiKey::DeleteTopics, version, |out| {
        request.encode(out, version).unwrap();
    });
    let response = DeleteTopicsResponse::decode(&body, version).unwrap();
    response.responses.iter().map(|r| r.error_code).collect()
}

#[test]
fn a_topic_is_in_every_shards_image_when_its_answer_comes() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    for version in 2..=7 {
        let name = format!("t{version}");
        let mut wanted = topic(&name, 4, 1);
        wanted.configs.push(CreatableTopicConfig {
            name: "retention.ms".into(),
            value: Some("5".into()),
            ..CreatableTopicConfig::default()
        });
        let response = create(&mut shards, version, false, vec![wanted]);
        let result = &response.topics[0];
        assert_eq!(result.error_code, 0, "{:?}", result.error_message);
        for shard in &shards {
            let known = shard.topics.values().find(|t| t.name == name).unwrap();
            assert_eq!(known.partitions.len(), 4);
            assert_eq!(known.configs["retention.ms"], "5");
            let owners: Vec<u16> = known.partitions.values().map(|p| p.shard).collect();
            assert_eq!(owners, [0, 1, 0, 1]);
        }
        if version >= 5 {
            assert_eq!((result.num_partitions, result.replication_factor), (4, 1));
            let configs = result.configs.as_ref().unwrap();
            let retention = configs.iter().find(|c| c.name == "retention.ms").unwrap();
            assert_eq!(
                (retention.value.as_deref(), retention.config_source),
                (Some("5"), 1)
            );
        }
        if version >= 7 {
            assert!(shards[0].topics.contains_key(&result.topic_id));
        }
    }
    let logs: BTreeSet<_> = shards[0]
        .topics
        .values()
        .flat_map(|t| t.partitions.values().map(|p| p.log.unwrap()))
        .collect();
    assert_eq!(logs.len(), 24);
}

#[test]
fn creation_is_refused_in_kafkas_words() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    assert_eq!(create_one(&mut shards, 5, topic("a.b", -1, -1)).0, 0);
    assert_eq!(
        shards[1].topics.values().next().unwrap().partitions.len(),
        3
    );
    for (version, wanted, error) in [
        (5, topic("a.b", 1, 1), ErrorCode::TopicAlreadyExists),
        (5, topic("a_b", 1, 1), ErrorCode::InvalidTopicException),
        (
            5,
            topic("no spaces", 1, 1),
            ErrorCode::InvalidTopicException,
        ),
        (5, topic("c", 0, 1), ErrorCode::InvalidPartitions),
        (5, topic("c", i32::MAX, 1), ErrorCode::InvalidPartitions),
        (5, topic("c", 0, 0), ErrorCode::InvalidReplicationFactor),
        (5, topic("c", 0, 3), ErrorCode::InvalidPartitions),
        (5, topic("c", 1, 0), ErrorCode::InvalidReplicationFactor),
        (5, topic("c", 1, 3), ErrorCode::InvalidReplicationFactor),
    ] {
        let name = wanted.name.clone();
        let (code, message) = create_one(&mut shards, version, wanted);
        assert_eq!(ErrorCode::from_code(code), Some(error), "{name}: {message}");
    }
    let assigned = |partitions: &[(i32, &[i32])]| CreatableTopic {
        assignments: partitions
            .iter()
            .map(|(partition, brokers)| CreatableReplicaAssignment {
                partition_index: *partition,
                broker_ids: brokers.to_vec(),
                ..CreatableReplicaAssignment::default()
            })
            .collect(),
        ..topic("c", -1, -1)
    };
    for bad in [
        &[(0, &[9][..])][..],
        &[(1, &[1])],
        &[(0, &[1]), (0, &[1])],
        &[(0, &[])],
    ] {
        let (code, message) = create_one(&mut shards, 5, assigned(bad));
        let expected = ErrorCode::InvalidReplicaAssignment.code();
        assert_eq!(code, expected, "{bad:?}: {message}");
    }
    // Numbers beside an assignment, but before them what is wrong with name and options.
    for (name, partitions, factor) in [("c", 1, -1), ("c", -1, 1)] {
        let both = CreatableTopic {
            assignments: assigned(&[(0, &[1])]).assignments,
            ..topic(name, partitions, factor)
        };
        let (code, _) = create_one(&mut shards, 5, both);
        assert_eq!(code, ErrorCode::InvalidRequest.code());
    }
    let with_assignment = CreatableTopic {
        assignments: assigned(&[(0, &[9])]).assignments,
        ..topic("c", 1, -1)
    };
    for mut config in [topic("c", 1, 1), topic("c", 0, 9), with_assignment] {
        config.configs.push(CreatableTopicConfig {
            name: "retention.mss".into(),
            value: Some("1".into()),
            ..CreatableTopicConfig::default()
        });
        let (code, message) = create_one(&mut shards, 5, config);
        assert_eq!(code, ErrorCode::InvalidConfig.code());
        assert!(message.contains("retention.ms"), "{message}");
    }
    // The broker's defaults, in every version.
    assert_eq!(create_one(&mut shards, 3, topic("by.default", -1, -1)).0, 0);
    // Twice in one request: refused once, the others made. Validation makes nothing.
    let doubled = vec![topic("d", 1, 1), topic("d", 1, 1), topic("e", 1, 1)];
    let response = create(&mut shards, 5, true, doubled.clone());
    let codes = |response: &CreateTopicsResponse| -> Vec<(String, i16)> {
        let topics = response.topics.iter();
        topics.map(|t| (t.name.clone(), t.error_code)).collect()
    };
    let expected = [
        ("d".to_owned(), ErrorCode::InvalidRequest.code()),
        ("e".to_owned(), 0),
    ];
    assert_eq!(codes(&response), expected);
    assert_eq!(shards[0].topics.len(), 2);
    assert_eq!(codes(&create(&mut shards, 5, false, doubled)), expected);
    assert_eq!(
        create_one(&mut shards, 5, assigned(&[(0, &[1]), (1, &[1])])).0,
        0
    );
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(
        &mut shards,
        7,
        false,
        vec![topic("a", 1, 1), topic("b", 1, 1)],
    );
    let by_name = |names: &[&str]| DeleteTopicsRequest {
        topic_names: names.iter().map(ToString::to_string).collect(),
        ..DeleteTopicsRequest::default()
    };
    let codes = delete(&mut shards, 5, &by_name(&["a", "gone", "b", "b"]));
    let mut expected = [
        0,
        ErrorCode::UnknownTopicOrPartition.code(),
        ErrorCode::InvalidRequest.code(),
    ];
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(shards[1].topics.len(), 1);
    let id = *shards[1].topics.keys().next().unwrap();
    let by_id = |ids: &[TopicId]| DeleteTopicsRequest {
        topics: ids
            .iter()
            .map(|id| DeleteTopicState {
                topic_id: *id,
                ..DeleteTopicState::default()
            })
            .collect(),
        ..DeleteTopicsRequest::default()
    };
    let unknown = ErrorCode::UnknownTopicId.code();
    assert_eq!(
        delete(&mut shards, 6, &by_id(&[TopicId([9; 16])])),
        [unknown]
    );
    assert_eq!(delete(&mut shards, 6, &by_id(&[id])), [0]);
    assert!(shards.iter().all(|shard| shard.topics.is_empty()));
}

#[test]
fn auto_creation_makes_what_is_missing_and_honours_the_switch() {
    let ground = Ground::new();
    for (switch, error) in [
        (false, ErrorCode::UnknownTopicOrPartition),
        (true, ErrorCode::None),
    ] {
        let plane = Plane::start(&ground, switch);
        let mut shards = shards(&ground);
        settle(&plane, &mut shards);
        let token = shards[1].ensure(vec!["x", "bad name", "x"]);
        pump_until(&mut shards, |shards| shards[1].ensured.contains_key(&token));
        let bad = if switch {
            ErrorCode::InvalidTopicException
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        let expected = [("x", error), ("bad name", bad), ("x", error)];
        let expected = expected.map(|(name, error)| (name.to_owned(), error));
        assert_eq!(shards[1].ensured[&token], expected);
        assert_eq!(shards[0].topics.len(), usize::from(switch));
    }
}

#[test]
fn producer_ids_are_unique_over_restarts_and_transactions_refused() {
    let ground = Ground::new();
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let plane = Plane::start(&ground, true);
        let mut shards = shards(&ground);
        settle(&plane, &mut shards);
        let mut init = |version: i16, transactional_id: Option<&str>| {
            let request = InitProducerIdRequest {
                transactional_id: transactional_id.map(Into::into),
                transaction_timeout_ms: 60_000,
                ..InitProducerIdRequest::default()
            };
            let body = call(&mut shards, ApiKey::InitProducerId, version, |out| {
                request.encode(out, version).unwrap();
            });
            InitProducerIdResponse::decode(&body, version).unwrap()
        };
        for version in 0..=5 {
            let response = init(version, None);
            assert_eq!((response.error_code, response.producer_epoch), (0, 0));
            assert!(ids.insert(response.producer_id), "given twice");
        }
        let refused = init(4, Some("tx"));
        assert_eq!(refused.error_code, ErrorCode::UnsupportedVersion.code());
        assert_eq!(refused.producer_id, -1);
    }
    assert_eq!(ids.len(), 12);
}

#[test]
fn the_cluster_and_its_configs_are_described() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    for version in 0..=2 {
        let body = call(&mut shards, ApiKey::DescribeCluster, version, |out| {
            DescribeClusterRequest::default()
                .encode(out, version)
                .unwrap();
        });
        let response = DescribeClusterResponse::decode(&body, version).unwrap();
        assert_eq!(response.cluster_id, "cluster");
        assert_eq!(response.brokers[0].port, 9092);
        assert_eq!(response.controller_id, 1);
        assert_eq!(response.admin_address.as_deref(), Some("127.0.0.1:7"));
    }
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    let request = DescribeConfigsRequest {
        resources: ["a", "b"]
            .map(|name| DescribeConfigsResource {
                resource_type: 2,
                resource_name: name.into(),
                ..DescribeConfigsResource::default()
            })
            .to_vec(),
        ..DescribeConfigsRequest::default()
    };
    let body = call(&mut shards, ApiKey::DescribeConfigs, 4, |out| {
        request.encode(out, 4).unwrap();
    });
    let response = DescribeConfigsResponse::decode(&body, 4).unwrap();
    assert_eq!(
        response.results[0].configs.len(),
        precursor_model::TOPIC_OPTIONS.len()
    );
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(response.results[1].error_code, unknown);
}

#[test]
fn after_a_restart_the_whole_image_comes_again() {
    let ground = Ground::new();
    let mut shards = shards(&ground);
    {
        let plane = Plane::start(&ground, true);
        settle(&plane, &mut shards);
        create(&mut shards, 7, false, vec![topic("a", 2, 1)]);
    }
    let before = shards[1].topics.clone();
    let (hellos, images) = (shards[1].hellos, shards[1].full_images);
    let plane = Plane::start(&ground, true);
    pump_until(&mut shards, |shards| {
        shards
            .iter()
            .all(|s| s.hellos > hellos && s.full_images > images)
    });
    settle(&plane, &mut shards);
    assert_eq!(shards[1].topics, before);
    // A new data plane says hello by itself, and gets the image too.
    let images = shards[0].full_images;
    shards[0].topics.clear();
    shards[0].hello(2);
    pump_until(&mut shards, |shards| shards[0].full_images > images);
    settle(&plane, &mut shards);
    assert_eq!(shards[0].topics, before);
}

#[test]
fn a_thousand_partitions_are_shown_quickly_and_a_shard_that_is_behind_catches_up() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let started = Instant::now();
    create(&mut shards, 7, false, vec![topic("big", 1_000, 1)]);
    println!("1,000 partitions made and shown in {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(5));
    // While nobody reads, far more images come than fit the ring or may wait.
    for round in 0..60 {
        let topics: Vec<_> = (0..10)
            .map(|n| precursor_kafka_api::NewTopicRequest {
                name: format!("r{round}-{n}"),
                partitions: precursor_kafka_api::Count::Of(5),
                replication_factor: precursor_kafka_api::Count::Default,
                assignments: Vec::new(),
                configs: Vec::new(),
            })
            .collect();
        let api = std::sync::Arc::clone(&plane.api);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        // Given up before the images are applied: the topics are there nevertheless.
        runtime.block_on(async move {
            let made = api.create_topics(&topics, false, Duration::from_secs(10));
            let _ = tokio::time::timeout(Duration::from_millis(20), made).await;
        });
    }
    settle(&plane, &mut shards);
    let count = plane.api.consensus().read(|state| state.topics().len());
    assert!(shards.iter().all(|shard| shard.topics.len() == count));
}

#[test]
fn garbage_is_counted_and_stops_nothing() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let mut seed = 0x5eed_0002u64;
    println!("seed {seed:#x}");
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..3_000 {
        let length = (random() % 200) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        // Mostly known kinds, but no hello: that would rightly change what follows.
        if let Some(kind) = bytes.first_mut().filter(|_| random() % 4 > 0) {
            *kind = 2 + (*kind % 5);
        }
        shards[1].push_bytes(&bytes);
    }
    shards[1].send(&ToControl::Hello {
        generation: 1,
        shard: 0,
        shards: 9,
    });
    let codes = create_one(&mut shards, 7, topic("alive", 1, 1));
    assert_eq!(codes.0, 0, "{}", codes.1);
    assert!(plane.api.data_plane().counts().messages_malformed > 100);
    // Requests that are none close their connection.
    let token = shards[0].forward(1, b"no header");
    let unserved = shards[0].forward(2, &frame(ApiKey::CreateTopics, 99, |_| ()));
    pump_until(&mut shards, |shards| {
        shards[0].refused.contains(&token) && shards[0].refused.contains(&unserved)
    });
}

#[test]
fn a_request_that_is_too_large_is_refused_and_a_large_one_is_answered() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let token = shards[0].forward(1, &vec![0; REQUEST_LENGTH_MAX + 1]);
    pump_until(&mut shards, |shards| shards[0].refused.contains(&token));
    // Several hundred kilobytes of names, each refused with a sentence: fragments both ways.
    let topics: Vec<_> = (0..3_000)
        .map(|n| topic(&format!("bad {n:0200}"), 1, 1))
        .collect();
    let response = create(&mut shards, 7, false, topics);
    assert_eq!(response.topics.len(), 3_000);
    assert!(shards.iter().all(|shard| shard.topics.is_empty()));
}
