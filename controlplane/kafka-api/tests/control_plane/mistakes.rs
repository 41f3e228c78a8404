//! What Kafka says of requests that are not right, and in which order it looks.

use crate::plane::{FakeShard, Ground, Plane, call, settle, shards};
use crate::{create, topic};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use precursor_protocol::messages::describe_client_quotas_request::ComponentData;
use precursor_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use precursor_protocol::messages::elect_leaders_request::TopicPartitions;
use precursor_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, DescribeClientQuotasRequest,
    DescribeClientQuotasResponse, DescribeClusterRequest, DescribeClusterResponse,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, ElectLeadersRequest,
    ElectLeadersResponse,
};

fn describe(
    shards: &mut [FakeShard],
    names: &[&str],
    limit: i32,
    cursor: Option<(&str, i32)>,
) -> DescribeTopicPartitionsResponse {
    let topic = |name: &&str| TopicRequest {
        name: (*name).to_owned(),
        ..TopicRequest::default()
    };
    let request = DescribeTopicPartitionsRequest {
        topics: names.iter().map(topic).collect(),
        response_partition_limit: limit,
        cursor: cursor.map(|(topic_name, partition_index)| Cursor {
            topic_name: topic_name.to_owned(),
            partition_index,
            ..Cursor::default()
        }),
        ..DescribeTopicPartitionsRequest::default()
    };
    let body = call(shards, ApiKey::DescribeTopicPartitions, 0, |out| {
        request.encode(out, 0).unwrap();
    });
    DescribeTopicPartitionsResponse::decode(&body, 0).unwrap()
}

fn told(answer: &DescribeTopicPartitionsResponse) -> Vec<(&str, i16, usize)> {
    let topics = answer.topics.iter();
    topics
        .map(|t| (t.name.as_deref().unwrap(), t.error_code, t.partitions.len()))
        .collect()
}

#[test]
fn topics_are_described_page_by_page_from_a_cursor_that_is_asked_for() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(
        &mut shards,
        7,
        false,
        vec![topic("a", 3, 1), topic("c", 1, 1)],
    );
    let names = ["c", "b", "a"];
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    let whole = describe(&mut shards, &names, 100, None);
    assert_eq!(told(&whole), [("a", 0, 3), ("b", unknown, 0), ("c", 0, 1)]);
    let allowed = whole.topics.iter().map(|t| t.topic_authorized_operations);
    assert!(allowed.eq([3_576; 3]));
    assert!(whole.next_cursor.is_none());
    // A page that is full ends before the next topic, be it there or not.
    let page = describe(&mut shards, &names, 3, None);
    let cursor = page.next_cursor.as_ref().unwrap();
    assert_eq!(
        (cursor.topic_name.as_str(), cursor.partition_index),
        ("b", 0)
    );
    let rest = describe(&mut shards, &names, 3, Some(("b", 0)));
    assert_eq!(told(&rest), [("b", unknown, 0), ("c", 0, 1)]);
    let inside = describe(&mut shards, &names, 1, Some(("a", 1)));
    assert_eq!(told(&inside), [("a", 0, 1)]);
    let cursor = inside.next_cursor.as_ref().unwrap();
    assert_eq!(
        (cursor.topic_name.as_str(), cursor.partition_index),
        ("a", 2)
    );
    let invalid = ErrorCode::InvalidRequest.code();
    for bad in [("d", 0), ("a", -1)] {
        let refused = describe(&mut shards, &["c", "a"], 100, Some(bad));
        assert_eq!(told(&refused), [("c", invalid, 0), ("a", invalid, 0)]);
    }
}

#[test]
fn what_may_be_done_to_the_cluster_is_told_where_it_is_asked() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    for (asked, operations) in [(true, 8_096), (false, i32::MIN)] {
        let request = DescribeClusterRequest {
            include_cluster_authorized_operations: asked,
            ..DescribeClusterRequest::default()
        };
        let body = call(&mut shards, ApiKey::DescribeCluster, 1, |out| {
            request.encode(out, 1).unwrap();
        });
        let answer = DescribeClusterResponse::decode(&body, 1).unwrap();
        assert_eq!(answer.cluster_authorized_operations, operations);
    }
}

#[test]
fn new_partitions_are_refused_when_they_are_only_validated_too() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    create(&mut shards, 7, false, vec![topic("a", 1, 1)]);
    for validate_only in [true, false] {
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: "a".into(),
                count: 2,
                assignments: Some(vec![CreatePartitionsAssignment {
                    broker_ids: vec![5],
                    ..CreatePartitionsAssignment::default()
                }]),
                ..CreatePartitionsTopic::default()
            }],
            validate_only,
            ..CreatePartitionsRequest::default()
        };
        let body = call(&mut shards, ApiKey::CreatePartitions, 3, |out| {
            request.encode(out, 3).unwrap();
        });
        let answer = CreatePartitionsResponse::decode(&body, 3).unwrap();
        let expected = ErrorCode::InvalidReplicaAssignment.code();
        assert_eq!(answer.results[0].error_code, expected);
    }
}

#[test]
fn an_election_of_no_known_type_is_refused_partition_by_partition() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let request = ElectLeadersRequest {
        election_type: 5,
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
    let invalid = ErrorCode::InvalidRequest.code();
    assert_eq!(answer.error_code, invalid);
    let partitions = answer.replica_election_results[0].partition_result.iter();
    let told: Vec<_> = partitions.map(|p| (p.partition_id, p.error_code)).collect();
    assert_eq!(told, [(1, invalid), (0, invalid)]);
}

#[test]
fn a_filter_of_quotas_is_read_type_first() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    for (kind, match_type, error) in [
        ("planet", 0, ErrorCode::UnsupportedVersion),
        ("planet", 7, ErrorCode::UnsupportedVersion),
        ("", 7, ErrorCode::InvalidRequest),
        ("user", 0, ErrorCode::InvalidRequest),
        ("user", 7, ErrorCode::InvalidRequest),
    ] {
        let request = DescribeClientQuotasRequest {
            components: vec![ComponentData {
                entity_type: kind.into(),
                match_type,
                ..ComponentData::default()
            }],
            ..DescribeClientQuotasRequest::default()
        };
        let body = call(&mut shards, ApiKey::DescribeClientQuotas, 1, |out| {
            request.encode(out, 1).unwrap();
        });
        let answer = DescribeClientQuotasResponse::decode(&body, 1).unwrap();
        assert_eq!(answer.error_code, error.code(), "'{kind}' {match_type}");
    }
}
