//! Pitfalls known to break clients, of the keys that a shard answers, by their number in the list
//! of facts about Kafka's protocol.

use crate::harness::{Broker, Client, FakeControl, batch, fetch_request, produce_body, stored};
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, MetadataRequest,
    MetadataResponse, ProduceRequest, ProduceResponse,
};
use precursor_protocol::{ApiKey, header};

fn api_versions(broker: &mut Broker, client: &mut Client, version: i16) -> ApiVersionsResponse {
    let mut body = Vec::new();
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1".into(),
        ..ApiVersionsRequest::default()
    };
    request.encode(&mut body, version).unwrap();
    let body = broker.call(client, ApiKey::ApiVersions, version, &body);
    ApiVersionsResponse::decode(&body, version).unwrap()
}

fn range(response: &ApiVersionsResponse, key: ApiKey) -> (i16, i16) {
    let mut keys = response.api_keys.iter();
    let found = keys.find(|entry| entry.api_key == key.code()).unwrap();
    (found.min_version, found.max_version)
}

#[test]
fn pitfall_01_and_02_api_versions_of_a_later_kafka_is_answered_in_version_0_and_not_closed() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    // A version nobody knows, with a body nobody knows.
    let mut frame = vec![0; 4];
    header::request_header(&mut frame, ApiKey::ApiVersions, 3, 77, Some("late"));
    frame[6..8].copy_from_slice(&99i16.to_be_bytes());
    frame.extend_from_slice(&[9; 40]);
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    client.send_bytes(&mut broker, &frame);
    let mut answer = None;
    broker.until("an answer", |_| {
        answer = client.take_frame();
        answer.is_some()
    });
    let answer = answer.unwrap();
    // The response header of every version is the shortest one.
    assert_eq!(answer[..4], 77i32.to_be_bytes());
    let response = ApiVersionsResponse::decode(&answer[4..], 0).unwrap();
    assert_eq!(response.error_code, ErrorCode::UnsupportedVersion.code());
    let (min, max) = range(&response, ApiKey::ApiVersions);
    assert_eq!((min, max), (0, 5));
    for version in min..=max {
        let response = api_versions(&mut broker, &mut client, version);
        assert_eq!(response.error_code, 0, "version {version}");
    }
}

#[test]
fn pitfall_03_produce_is_advertised_from_0_and_refused_below_3() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let response = api_versions(&mut broker, &mut client, 3);
    assert_eq!(range(&response, ApiKey::Produce), (0, 13));
    let mut frame = vec![0; 4];
    header::request_header(&mut frame, ApiKey::Produce, 3, 1, Some("old"));
    frame[6..8].copy_from_slice(&2i16.to_be_bytes());
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    client.send_bytes(&mut broker, &frame);
    client.expect_close(&mut broker);
}

#[test]
fn pitfall_05_and_17_transactions_of_version_2_are_not_offered_as_a_feature() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    for version in 3..=5 {
        let response = api_versions(&mut broker, &mut client, version);
        let names = response.finalized_features.iter().map(|f| &f.name);
        let supported = response.supported_features.iter().map(|f| &f.name);
        let offered = names.chain(supported).any(|n| n == "transaction.version");
        assert!(!offered, "{response:?}");
    }
}

fn produce_by_id(id: TopicId, records: &[u8]) -> Vec<u8> {
    let body = produce_body(9, 1, &[("", 0, records)]);
    let mut request = ProduceRequest::decode(&body, 9).unwrap();
    request.topic_data[0].topic_id = id;
    let mut body = Vec::new();
    request.encode(&mut body, 13).unwrap();
    body
}

#[test]
fn pitfall_06_produce_and_fetch_by_topic_id_are_right_in_every_version_that_is_offered() {
    let mut broker = Broker::start(&[("t", 1), ("u", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    let id = FakeControl::topic_id("t");
    let answer = broker.call(
        &mut client,
        ApiKey::Produce,
        13,
        &produce_by_id(id, &records),
    );
    let answer = ProduceResponse::decode(&answer, 13).unwrap();
    assert_eq!(answer.responses[0].topic_id, id);
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!((partition.error_code, partition.base_offset), (0, 0));
    for version in 13..=18 {
        for (named, error) in [
            (id, ErrorCode::None),
            (TopicId([9; 16]), ErrorCode::UnknownTopicId),
            (TopicId::ZERO, ErrorCode::UnknownTopicId),
        ] {
            let answer = fetch_by_id(&mut broker, &mut client, version, &[(named, 0)], (0, -1));
            assert_eq!(answer.error_code, 0);
            let topic = &answer.responses[0];
            assert_eq!(topic.topic_id, named);
            let partition = &topic.partitions[0];
            assert_eq!(partition.error_code, error.code(), "version {version}");
            let expected = if error.is_error() {
                vec![]
            } else {
                stored(&records, 0, 0)
            };
            assert_eq!(partition.records.as_deref(), Some(&expected[..]));
        }
        let beyond = fetch_by_id(&mut broker, &mut client, version, &[(id, 7)], (0, -1));
        let code = beyond.responses[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::UnknownTopicOrPartition.code());
    }
    let unknown = produce_by_id(TopicId([9; 16]), &records);
    let answer = broker.call(&mut client, ApiKey::Produce, 13, &unknown);
    let answer = ProduceResponse::decode(&answer, 13).unwrap();
    let code = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::UnknownTopicId.code());
}

fn fetch_by_id(
    broker: &mut Broker,
    client: &mut Client,
    version: i16,
    topics: &[(TopicId, i32)],
    (session_id, session_epoch): (i32, i32),
) -> FetchResponse {
    let named: Vec<(&str, i32, i64)> = topics.iter().map(|(_, p)| ("", *p, 0)).collect();
    let mut request = FetchRequest {
        session_id,
        session_epoch,
        ..fetch_request(version, 0, 1, &named)
    };
    for (topic, (id, _)) in request.topics.iter_mut().zip(topics) {
        topic.topic_id = *id;
    }
    let mut body = Vec::new();
    request.encode(&mut body, version).unwrap();
    let body = broker.call(client, ApiKey::Fetch, version, &body);
    FetchResponse::decode(&body, version).unwrap()
}

#[test]
fn pitfall_06_a_session_by_id_goes_on_forgets_and_notices_that_a_topic_is_another() {
    let mut broker = Broker::start(&[("a", 1), ("b", 1)]);
    let mut client = broker.connect();
    let (a, b) = (FakeControl::topic_id("a"), FakeControl::topic_id("b"));
    let begun = fetch_by_id(&mut broker, &mut client, 17, &[(a, 0), (b, 0)], (0, 0));
    assert_eq!(begun.responses.len(), 2);
    let id = begun.session_id;
    assert_ne!(id, 0);
    let records = batch(&[b"x"]);
    for topic in ["a", "b"] {
        broker.produce(&mut client, 9, topic, 0, &records);
    }
    let both = fetch_by_id(&mut broker, &mut client, 17, &[], (id, 1));
    let ids: Vec<TopicId> = both.responses.iter().map(|topic| topic.topic_id).collect();
    assert_eq!(ids, [a, b]);
    // The same session named by names is a mistake.
    let mut by_name = fetch_request(12, 0, 1, &[]);
    (by_name.session_id, by_name.session_epoch) = (id, 2);
    let mut body = Vec::new();
    by_name.encode(&mut body, 12).unwrap();
    let body = broker.call(&mut client, ApiKey::Fetch, 12, &body);
    let mixed = FetchResponse::decode(&body, 12).unwrap();
    assert_eq!(mixed.error_code, ErrorCode::FetchSessionTopicIdError.code());

    let mut forgetting = fetch_request(17, 0, 1, &[]);
    (forgetting.session_id, forgetting.session_epoch) = (id, 2);
    forgetting.forgotten_topics_data = vec![
        precursor_protocol::messages::fetch_request::ForgottenTopic {
            topic_id: a,
            partitions: vec![0],
            ..Default::default()
        },
    ];
    let mut body = Vec::new();
    forgetting.encode(&mut body, 17).unwrap();
    let body = broker.call(&mut client, ApiKey::Fetch, 17, &body);
    let rest = FetchResponse::decode(&body, 17).unwrap();
    assert_eq!(rest.responses.len(), 1);
    assert_eq!(rest.responses[0].topic_id, b);

    // The topic goes: its id is unknown from then on, whatever comes under its name.
    broker.control.topics.retain(|topic| topic.name != "b");
    broker.publish();
    let gone = fetch_by_id(&mut broker, &mut client, 17, &[], (id, 3));
    let partition = &gone.responses[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::UnknownTopicId.code());
}

fn metadata(broker: &mut Broker, version: i16, request: &MetadataRequest) -> MetadataResponse {
    let mut client = broker.connect();
    let mut body = Vec::new();
    request.encode(&mut body, version).unwrap();
    let body = broker.call(&mut client, ApiKey::Metadata, version, &body);
    MetadataResponse::decode(&body, version).unwrap()
}

#[test]
fn pitfall_07_metadata_of_all_none_and_by_id() {
    let mut broker = Broker::start(&[("a", 1), ("b", 1)]);
    let asking = |topics| MetadataRequest {
        topics,
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    };
    assert_eq!(
        metadata(&mut broker, 0, &asking(Some(vec![]))).topics.len(),
        2
    );
    for version in 1..=13 {
        let none = metadata(&mut broker, version, &asking(Some(vec![])));
        assert!(none.topics.is_empty(), "version {version}");
        let all = metadata(&mut broker, version, &asking(None));
        assert_eq!(all.topics.len(), 2, "version {version}");
        assert_eq!(all.brokers.len(), 1);
    }
    let id = FakeControl::topic_id("a");
    let by_id = |topic_id| {
        asking(Some(vec![MetadataRequestTopic {
            topic_id,
            name: None,
            ..MetadataRequestTopic::default()
        }]))
    };
    for version in 12..=13 {
        let found = metadata(&mut broker, version, &by_id(id));
        assert_eq!(found.topics[0].name.as_deref(), Some("a"));
        assert_eq!(
            (found.topics[0].topic_id, found.topics[0].error_code),
            (id, 0)
        );
        let missing = metadata(&mut broker, version, &by_id(TopicId([9; 16])));
        let topic = &missing.topics[0];
        assert_eq!(topic.error_code, ErrorCode::UnknownTopicId.code());
        assert_eq!(
            (topic.name.as_deref(), topic.topic_id),
            (None, TopicId([9; 16]))
        );
    }
    for version in 10..=11 {
        let refused = metadata(&mut broker, version, &by_id(id));
        let topic = &refused.topics[0];
        assert_eq!(topic.error_code, ErrorCode::InvalidRequest.code());
    }
}

#[test]
fn pitfall_08_metadata_makes_topics_where_it_may() {
    let mut broker = Broker::start(&[]);
    for (version, allow, made) in [(3, true, true), (4, false, false), (4, true, true)] {
        let name = format!("made-{version}-{allow}");
        let request = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some(name.clone()),
                ..MetadataRequestTopic::default()
            }]),
            allow_auto_topic_creation: allow,
            ..MetadataRequest::default()
        };
        let answer = metadata(&mut broker, version, &request);
        let known = broker.control.topics.iter().any(|topic| topic.name == name);
        assert_eq!(known, made, "version {version}, allowed {allow}");
        let expected = if made {
            ErrorCode::None
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        assert_eq!(answer.topics[0].error_code, expected.code());
    }
}

#[test]
fn pitfall_09_an_offset_inside_a_batch_returns_the_whole_batch() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"0", b"1", b"2", b"3"]);
    broker.produce(&mut client, 9, "t", 0, &records);
    for offset in 0..4 {
        let answer = broker.fetch(&mut client, 12, "t", 0, offset);
        let got = answer.responses[0].partitions[0].records.clone();
        assert_eq!(got, Some(stored(&records, 0, 0)), "from {offset}");
    }
}

#[test]
fn pitfall_12_a_produce_that_wants_no_answer_gets_none() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    for version in 3..=12 {
        let body = produce_body(version, 0, &[("t", 0, &records)]);
        client.send(&mut broker, ApiKey::Produce, version, &body);
    }
    // The next answer is that of the next request.
    let answer = broker.produce(&mut client, 12, "t", 0, &records);
    assert_eq!(answer.responses[0].partition_responses[0].base_offset, 10);
}

#[test]
fn pitfall_21_errors_have_records_that_are_not_null() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    for version in 4..=12 {
        for (topic, partition, offset) in [("t", 0, 99), ("t", 5, 0), ("none", 0, 0)] {
            let answer = broker.fetch(&mut client, version, topic, partition, offset);
            let partition = &answer.responses[0].partitions[0];
            assert_ne!(partition.error_code, 0);
            assert_eq!(
                partition.records.as_deref(),
                Some(&[][..]),
                "version {version}"
            );
        }
    }
}

#[test]
fn a_client_that_an_old_address_led_to_another_cluster_begins_anew() {
    let mut broker = Broker::start(&[]);
    let mut client = broker.connect();
    let mut error_of = |cluster_id: Option<&str>, node_id| {
        let request = ApiVersionsRequest {
            client_software_name: "test".into(),
            client_software_version: "1".into(),
            cluster_id: cluster_id.map(str::to_owned),
            node_id,
            ..ApiVersionsRequest::default()
        };
        let mut body = Vec::new();
        request.encode(&mut body, 5).unwrap();
        let body = broker.call(&mut client, ApiKey::ApiVersions, 5, &body);
        ApiVersionsResponse::decode(&body, 5).unwrap().error_code
    };
    let rebootstrap = ErrorCode::RebootstrapRequired.code();
    assert_eq!(error_of(None, -1), 0);
    assert_eq!(error_of(Some("test-cluster"), 1), 0);
    assert_eq!(error_of(Some("another"), -1), rebootstrap);
    assert_eq!(error_of(None, 7), rebootstrap);
}
