//! CreateTopics, key 19, versions 2 to 7.

use super::error_fields;
use crate::api::{Api, patience};
use crate::configs::TopicDefaults;
use crate::topics::{Count, NewTopicRequest, TopicMade};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::CreateTopicsRequest as Request;
use precursor_protocol::messages::CreateTopicsResponse;
use precursor_protocol::messages::create_topics_request::CreatableTopic;
use precursor_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use std::collections::BTreeMap;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> CreateTopicsResponse {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let mut topics = Vec::new();
    for (name, count) in &times {
        if *count > 1 {
            let refusal = Refusal::new(ErrorCode::InvalidRequest, "Duplicate topic name.");
            topics.push(refused(name.clone(), refusal));
        }
    }
    let once = request.topics.into_iter().filter(|t| times[&t.name] == 1);
    let accepted: Vec<NewTopicRequest> = once.map(read).collect();
    let limit = patience(request.timeout_ms);
    let outcomes = api
        .create_topics(&accepted, request.validate_only, limit)
        .await;
    let defaults = api
        .consensus
        .read(|state| TopicDefaults::new(&api.settings, state));
    for (topic, outcome) in accepted.into_iter().zip(outcomes) {
        topics.push(match outcome {
            Ok(made) => result(&defaults, topic.name, made),
            Err(refusal) => refused(topic.name, refusal),
        });
    }
    CreateTopicsResponse {
        topics,
        ..CreateTopicsResponse::default()
    }
}

fn read(topic: CreatableTopic) -> NewTopicRequest {
    // -1 means the broker's default (KIP-464), as it does in Kafka 4 in every version.
    let count = |stated: i32| match stated {
        -1 => Count::Default,
        stated => Count::Of(stated),
    };
    NewTopicRequest {
        partitions: count(topic.num_partitions),
        replication_factor: count(i32::from(topic.replication_factor)),
        assignments: topic
            .assignments
            .into_iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids))
            .collect(),
        configs: topic
            .configs
            .into_iter()
            .map(|config| (config.name, config.value))
            .collect(),
        name: topic.name,
    }
}

fn refused(name: String, refusal: Refusal) -> CreatableTopicResult {
    let (error_code, error_message) = error_fields(refusal);
    CreatableTopicResult {
        name,
        error_code,
        error_message,
        // Not null: some clients take null for "not authorised to see".
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

fn result(defaults: &TopicDefaults, name: String, made: TopicMade) -> CreatableTopicResult {
    let values = defaults.values(&made.configs).into_iter();
    let configs = values.map(|value| CreatableTopicConfigs {
        name: value.name,
        value: Some(value.value),
        config_source: value.source as i8,
        ..CreatableTopicConfigs::default()
    });
    CreatableTopicResult {
        name,
        topic_id: made.id,
        // Bounded far below by PARTITIONS_PER_TOPIC_MAX and REPLICAS_MAX.
        num_partitions: made.partitions as i32,
        replication_factor: made.replication_factor as i16,
        configs: Some(configs.collect()),
        ..CreatableTopicResult::default()
    }
}
