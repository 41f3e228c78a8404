//! What is told of things that are there: each answer differs from that of a control plane which does
//! not look.

use crate::configs::{entity, resource};
use crate::plane::{FakeShard, Ground, Plane, call, frame, pump_until, settle, shards};
use crate::{create, topic};
use precursor_model::{ErrorCode, LogUid, TopicId};
use precursor_protocol::ApiKey;
use precursor_protocol::messages::alter_client_quotas_request::{EntryData, OpData};
use precursor_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::elect_leaders_request::TopicPartitions;
use precursor_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    DescribeLogDirsRequest, DescribeLogDirsResponse, ElectLeadersRequest, ElectLeadersResponse,
    IncrementalAlterConfigsRequest,
};
use precursor_shm::control::{LogDescription, ToControl};
use std::time::{Duration, Instant};

#[test]
fn an_entity_is_named_once_in_a_change_of_quotas() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let entry = |name: &str, value: f64| EntryData {
        entity: entity(&[("user", Some(name))]),
        ops: vec![OpData {
            key: "producer_byte_rate".into(),
            value,
            ..OpData::default()
        }],
        ..EntryData::default()
    };
    let request = AlterClientQuotasRequest {
        entries: vec![entry("a", 1.0), entry("b", 2.0), entry("a", 3.0)],
        ..AlterClientQuotasRequest::default()
    };
    let body = call(&mut shards, ApiKey::AlterClientQuotas, 1, |out| {
        request.encode(out, 1).unwrap();
    });
    let answer = AlterClientQuotasResponse::decode(&body, 1).unwrap();
    let mut told: Vec<_> = answer
        .entries
        .iter()
        .map(|e| (e.entity[0].entity_name.clone().unwrap(), e.error_code))
        .collect();
    told.sort();
    let invalid = ErrorCode::InvalidRequest.code();
    let expected = [("a", 0), ("a", invalid), ("b", 0)];
    assert_eq!(told, expected.map(|(name, error)| (name.to_owned(), error)));
    let told = shards[1].quotas.values().next().unwrap();
    assert!(told.contains("1.0"), "the first one counts: {told}");
}

#[test]
fn partitions_stay_where_they_are_and_need_no_election() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    let invalid = ErrorCode::InvalidReplicaAssignment;
    for (index, replicas, error) in [
        (0, Some(vec![1]), ErrorCode::None),
        (0, Some(vec![1, 1]), invalid),
        (0, Some(vec![]), invalid),
        (0, Some(vec![2]), invalid),
        (0, None, ErrorCode::NoReassignmentInProgress),
        (1, Some(vec![1]), ErrorCode::UnknownTopicOrPartition),
    ] {
        let request = AlterPartitionReassignmentsRequest {
            topics: vec![ReassignableTopic {
                name: "a".into(),
                partitions: vec![ReassignablePartition {
                    partition_index: index,
                    replicas: replicas.clone(),
                    ..ReassignablePartition::default()
                }],
                ..ReassignableTopic::default()
            }],
            ..AlterPartitionReassignmentsRequest::default()
        };
        let body = call(&mut shards, ApiKey::AlterPartitionReassignments, 0, |out| {
            request.encode(out, 0).unwrap();
        });
        let answer = AlterPartitionReassignmentsResponse::decode(&body, 0).unwrap();
        let told = answer.responses[0].partitions[0].error_code;
        assert_eq!(told, error.code(), "{index} {replicas:?}");
    }
    let request = ElectLeadersRequest {
        topic_partitions: Some(vec![TopicPartitions {
            topic: "a".into(),
            partitions: vec![1, 0],
            ..TopicPartitions::default()
        }]),
        ..ElectLeadersRequest::default()
    };
    let body = call(&mut shards, ApiKey::ElectLeaders, 2, |out| {
        request.encode(out, 2).unwrap();
    });
    let answer = ElectLeadersResponse::decode(&body, 2).unwrap();
    let partitions = answer.replica_election_results[0].partition_result.iter();
    let told: Vec<_> = partitions.map(|p| (p.partition_id, p.error_code)).collect();
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    let expected = [(0, ErrorCode::ElectionNotNeeded.code()), (1, unknown)];
    assert_eq!(told, expected);
}

#[test]
fn only_the_options_that_are_asked_for_are_described() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    for (asked, told) in [
        (
            vec!["segment.bytes", "retention.ms"],
            vec!["retention.ms", "segment.bytes"],
        ),
        (vec!["no.such.option"], vec![]),
    ] {
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: 2,
                resource_name: "a".into(),
                configuration_keys: Some(asked.iter().map(ToString::to_string).collect()),
                ..DescribeConfigsResource::default()
            }],
            ..DescribeConfigsRequest::default()
        };
        let body = call(&mut shards, ApiKey::DescribeConfigs, 4, |out| {
            request.encode(out, 4).unwrap();
        });
        let answer = DescribeConfigsResponse::decode(&body, 4).unwrap();
        let mut names: Vec<_> = answer.results[0].configs.iter().map(|c| &c.name).collect();
        names.sort();
        assert_eq!(names, told, "{asked:?}");
    }
}

/// The log of a partition of the only topic.
fn log_of(shards: &[FakeShard], partition: i32) -> LogUid {
    let topics: Vec<(&TopicId, _)> = shards[0].topics.iter().collect();
    topics[0].1.partitions[&partition].log.unwrap()
}

#[test]
fn logs_are_told_of_in_the_directory_where_they_lie() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 2, 1)]);
    let described = |partition: i32, size_bytes: u64, directory: u16| LogDescription {
        log: log_of(&shards, partition),
        log_start_offset: 0,
        high_watermark: 5,
        log_end_offset: 5,
        size_bytes,
        memory_bytes: 0,
        segments: 1,
        directory,
        records_in: 5,
        batches_in: 1,
        bytes_in: 5,
        bytes_out: 0,
    };
    // The second one is in a directory that this node has not got.
    let mut answers = [vec![described(0, 1_234, 0)], vec![described(1, 5_678, 1)]];
    let request = frame(ApiKey::DescribeLogDirs, 4, |out| {
        DescribeLogDirsRequest {
            topics: None,
            ..DescribeLogDirsRequest::default()
        }
        .encode(out, 4)
        .unwrap();
    });
    let asked = shards[0].forward(1, &request);
    // One shard after the other.
    for (index, entries) in answers.iter_mut().enumerate() {
        pump_until(&mut shards, |shards| !shards[index].described.is_empty());
        let token = shards[index].described.remove(0);
        shards[index].send(&ToControl::LogDescriptions {
            token,
            last: true,
            entries: std::mem::take(entries),
        });
    }
    pump_until(&mut shards, |shards| {
        shards[0].responses.contains_key(&asked)
    });
    let response = shards[0].responses.remove(&asked).unwrap();
    let parsed = precursor_protocol::header::parse_response(&response, ApiKey::DescribeLogDirs, 4);
    let answer = DescribeLogDirsResponse::decode(parsed.unwrap().1, 4).unwrap();
    assert_eq!((answer.results.len(), answer.results[0].error_code), (1, 0));
    let topics = &answer.results[0].topics;
    assert_eq!((topics.len(), topics[0].name.as_str()), (1, "a"));
    let partitions = topics[0].partitions.iter();
    let told: Vec<_> = partitions
        .map(|p| (p.partition_index, p.partition_size))
        .collect();
    assert_eq!(told, [(0, 1_234)]);
}

#[test]
fn a_change_of_options_is_answered_when_the_last_shard_has_it() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    shards[1].confirms = false;
    let before = shards[1].image_version;
    let request = frame(ApiKey::IncrementalAlterConfigs, 1, |out| {
        IncrementalAlterConfigsRequest {
            resources: vec![resource(2, "a", &[("retention.ms", 0, Some("5"))])],
            ..IncrementalAlterConfigsRequest::default()
        }
        .encode(out, 1)
        .unwrap();
    });
    let token = shards[0].forward(1, &request);
    pump_until(&mut shards, |shards| shards[1].image_version > before);
    let told_late = Instant::now() + Duration::from_millis(100);
    pump_until(&mut shards, |shards| {
        let early = shards[0].responses.contains_key(&token);
        assert!(!early, "a shard has not confirmed it");
        Instant::now() > told_late
    });
    let version = shards[1].image_version;
    shards[1].send(&ToControl::ImageApplied { version });
    pump_until(&mut shards, |shards| {
        shards[0].responses.contains_key(&token)
    });
}
