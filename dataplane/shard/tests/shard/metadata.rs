//! Metadata, ApiVersions, FindCoordinator.

use crate::harness::{Broker, Client};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{
    ApiVersionsResponse, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse, find_coordinator_response::Coordinator,
    metadata_request::MetadataRequestTopic,
};

fn ask(
    broker: &mut Broker,
    client: &mut Client,
    version: i16,
    names: Option<&[&str]>,
) -> MetadataResponse {
    let request = MetadataRequest {
        topics: names.map(|names| {
            let topic = |name: &&str| MetadataRequestTopic {
                name: Some(name.to_string()),
                ..MetadataRequestTopic::default()
            };
            names.iter().map(topic).collect()
        }),
        ..MetadataRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, version).unwrap();
    let body = broker.call(client, ApiKey::Metadata, version, &body);
    MetadataResponse::decode(&body, version).unwrap()
}

#[test]
fn all_none_and_named_topics_by_version() {
    let mut broker = Broker::start(&[("a", 3), ("b", 1)]);
    let mut client = broker.connect();
    for version in 0..=13 {
        let all = if version == 0 { Some(&[][..]) } else { None };
        let response = ask(&mut broker, &mut client, version, all);
        assert_eq!(response.topics.len(), 2, "version {version}");
        let own = &response.brokers[0];
        assert_eq!((own.host.as_str(), own.port), ("127.0.0.1", 9092));
        if version > 0 {
            let none = ask(&mut broker, &mut client, version, Some(&[]));
            assert_eq!(none.topics.len(), 0, "version {version}");
        }
        let named = ask(&mut broker, &mut client, version, Some(&["a"]));
        assert_eq!(named.topics[0].partitions.len(), 3);
        assert_eq!(named.topics[0].partitions[2].leader_id, 1);
    }
}

#[test]
fn topics_are_told_once_with_what_may_be_done_where_that_is_asked() {
    let mut broker = Broker::start(&[("a", 1), ("b", 1)]);
    let mut client = broker.connect();
    for version in [3, 8, 10, 13] {
        let names = ["a", "b", "a", "a"];
        let told = ask(&mut broker, &mut client, version, Some(&names));
        let told: Vec<_> = told
            .topics
            .iter()
            .map(|topic| topic.name.as_deref())
            .collect();
        assert_eq!(told, [Some("a"), Some("b")], "version {version}");
    }
    let topic = |name: &str| MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..MetadataRequestTopic::default()
    };
    let mut request = MetadataRequest {
        topics: Some(vec![topic("a"), topic("absent")]),
        allow_auto_topic_creation: false,
        include_topic_authorized_operations: true,
        include_cluster_authorized_operations: true,
        ..MetadataRequest::default()
    };
    for version in [8, 10, 12] {
        request.include_cluster_authorized_operations = version <= 10;
        let mut body = Vec::new();
        request.encode(&mut body, version).unwrap();
        let body = broker.call(&mut client, ApiKey::Metadata, version, &body);
        let told = MetadataResponse::decode(&body, version).unwrap();
        let topics = told.topics.iter();
        let allowed: Vec<i32> = topics.map(|t| t.topic_authorized_operations).collect();
        assert_eq!(allowed, [3_576, 3_576]);
        let of_cluster = if version <= 10 { 8_096 } else { i32::MIN };
        assert_eq!(told.cluster_authorized_operations, of_cluster);
    }
}

#[test]
fn unknown_topics_are_made_and_told_in_the_same_answer() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    let response = ask(&mut broker, &mut client, 12, Some(&["fresh", "bad name"]));
    assert_eq!(response.topics[0].error_code, 0);
    assert_eq!(response.topics[0].partitions.len(), 1);
    let invalid = ErrorCode::InvalidTopicException.code();
    assert_eq!(response.topics[1].error_code, invalid);
    // The control plane's own refusal is passed on.
    broker.control.makes_topics = false;
    let response = ask(&mut broker, &mut client, 4, Some(&["refused"]));
    let policy = ErrorCode::PolicyViolation.code();
    assert_eq!(response.topics[0].error_code, policy);
}

#[test]
fn a_client_that_wants_nothing_made_is_told_that_there_is_nothing() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some("absent".to_owned()),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, 8).unwrap();
    let body = broker.call(&mut client, ApiKey::Metadata, 8, &body);
    let response = MetadataResponse::decode(&body, 8).unwrap();
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(response.topics[0].error_code, unknown);
    assert!(broker.control.topics.is_empty());
}

#[test]
fn topics_asked_of_a_control_plane_that_dies_are_asked_of_the_next() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    broker.control.alive = false;
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some("late".to_owned()),
            ..MetadataRequestTopic::default()
        }]),
        ..MetadataRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, 8).unwrap();
    let id = client.send(&mut broker, ApiKey::Metadata, 8, &body);
    broker.turns(20);
    broker.control.alive = true;
    broker.control.restart();
    let body = client.expect(&mut broker, ApiKey::Metadata, 8, id);
    let response = MetadataResponse::decode(&body, 8).unwrap();
    assert_eq!(response.topics[0].error_code, 0);
}

#[test]
fn an_unknown_version_of_api_versions_gets_version_zero_with_the_ranges() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    for version in [6, 42, i16::MAX] {
        let id = client.send(&mut broker, ApiKey::ApiVersions, version, b"whatever");
        let body = client.expect(&mut broker, ApiKey::ApiVersions, 0, id);
        let response = ApiVersionsResponse::decode(&body, 0).unwrap();
        assert_eq!(response.error_code, ErrorCode::UnsupportedVersion.code());
        let produce = &response.api_keys[0];
        let range = (produce.api_key, produce.min_version, produce.max_version);
        assert_eq!(range, (0, 0, 13));
        assert!(response.api_keys.iter().any(|key| key.api_key == 18));
    }
}

fn find(
    broker: &mut Broker,
    client: &mut Client,
    version: i16,
    key_type: i8,
    keys: &[&str],
) -> FindCoordinatorResponse {
    let mut request = FindCoordinatorRequest {
        key_type,
        ..FindCoordinatorRequest::default()
    };
    if version < 4 {
        request.key = keys[0].to_owned();
    } else {
        request.coordinator_keys = keys.iter().map(ToString::to_string).collect();
    }
    let mut body = Vec::new();
    request.encode(&mut body, version).unwrap();
    let body = broker.call(client, ApiKey::FindCoordinator, version, &body);
    FindCoordinatorResponse::decode(&body, version).unwrap()
}

#[test]
fn the_coordinator_is_there_once_the_topic_of_offsets_is_made() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    broker.control.alive = false;
    for version in 0..=6 {
        let response = find(&mut broker, &mut client, version, 0, &["group"]);
        let code = match version {
            0..=3 => response.error_code,
            _ => response.coordinators[0].error_code,
        };
        assert_eq!(code, ErrorCode::CoordinatorNotAvailable.code());
    }
    // The control plane dies with the question; a new one is asked again.
    broker.control.alive = true;
    broker.control.restart();
    broker.until("the topic", |b| {
        let response = find(b, &mut client, 3, 0, &["group"]);
        response.error_code == 0
    });
    for version in 0..=6 {
        let response = find(&mut broker, &mut client, version, 0, &["group", "other"]);
        if version < 4 {
            let place = (response.node_id, response.host.as_str(), response.port);
            assert_eq!(place, (1, "127.0.0.1", 9092));
        } else {
            let keys: Vec<&str> = response.coordinators.iter().map(|c| &*c.key).collect();
            assert_eq!(keys, ["group", "other"]);
            let found = |c: &Coordinator| (c.error_code, c.node_id, c.port) == (0, 1, 9092);
            assert!(response.coordinators.iter().all(found));
        }
    }
}

#[test]
fn other_coordinators_are_refused_by_their_kind() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    let sound = "a:b:AAAAAAAAAAAAAAAAAAAAAA:0";
    let cases = [
        (1, "transactional", ErrorCode::CoordinatorNotAvailable),
        (2, sound, ErrorCode::CoordinatorNotAvailable),
        (2, "group", ErrorCode::InvalidRequest),
        (2, "a:AAAAAAAAAAAAAAAAAAAAAA:x", ErrorCode::InvalidRequest),
        (3, "group", ErrorCode::InvalidRequest),
    ];
    for (key_type, key, error) in cases {
        let response = find(&mut broker, &mut client, 6, key_type, &[key]);
        let coordinator = &response.coordinators[0];
        assert_eq!(coordinator.error_code, error.code(), "{key_type} {key}");
        assert_eq!((coordinator.node_id, coordinator.port), (-1, -1));
    }
}
