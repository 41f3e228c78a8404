//! DeleteTopics, key 20, versions 1 to 6; by topic id from version 6 (KIP-516).

use super::error_fields;
use crate::api::{Api, patience};
use crate::topics::TopicReference;
use precursor_metadata::Refusal;
use precursor_model::{ErrorCode, TopicId};
pub(crate) use precursor_protocol::messages::DeleteTopicsRequest as Request;
use precursor_protocol::messages::DeleteTopicsResponse;
use precursor_protocol::messages::delete_topics_response::DeletableTopicResult;
use std::collections::BTreeSet;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> DeleteTopicsResponse {
    let limit = patience(request.timeout_ms);
    let (wanted, mut responses) = read(request);
    let outcomes = api.delete_topics(&wanted, limit).await;
    for (topic, outcome) in wanted.into_iter().zip(outcomes) {
        responses.push(match outcome {
            Ok((topic_id, name)) => DeletableTopicResult {
                name: Some(name),
                topic_id,
                ..DeletableTopicResult::default()
            },
            Err(refusal) => refused(topic, refusal),
        });
    }
    DeleteTopicsResponse {
        responses,
        ..DeleteTopicsResponse::default()
    }
}

/// What is asked for, each topic once, and the refusals of what is asked for wrongly.
fn read(request: Request) -> (Vec<TopicReference>, Vec<DeletableTopicResult>) {
    let (mut wanted, mut refusals) = (Vec::new(), Vec::new());
    let (mut names, mut ids, mut doubled) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let invalid = |message| Refusal::new(ErrorCode::InvalidRequest, message);
    for name in request.topic_names {
        if names.insert(name.clone()) {
            wanted.push(TopicReference::Name(name));
        } else {
            doubled.insert(TopicReference::Name(name));
        }
    }
    for topic in request.topics {
        match (topic.name, topic.topic_id) {
            (None, TopicId::ZERO) => refusals.push(refused(
                TopicReference::Id(TopicId::ZERO),
                invalid("Neither topic name nor id were specified."),
            )),
            (None, id) if ids.insert(id) => wanted.push(TopicReference::Id(id)),
            (None, id) => drop(doubled.insert(TopicReference::Id(id))),
            (Some(name), TopicId::ZERO) if names.insert(name.clone()) => {
                wanted.push(TopicReference::Name(name));
            }
            (Some(name), TopicId::ZERO) => drop(doubled.insert(TopicReference::Name(name))),
            (Some(name), id) => {
                let refusal = invalid("You may not specify both topic name and topic id.");
                refusals.push(DeletableTopicResult {
                    topic_id: id,
                    ..refused(TopicReference::Name(name), refusal)
                });
            }
        }
    }
    // Asked for twice is refused altogether, once.
    wanted.retain(|topic| !doubled.contains(topic));
    for topic in doubled {
        let message = match topic {
            TopicReference::Name(_) => "Duplicate topic name.",
            TopicReference::Id(_) => "Duplicate topic id.",
        };
        refusals.push(refused(topic, invalid(message)));
    }
    (wanted, refusals)
}

fn refused(topic: TopicReference, refusal: Refusal) -> DeletableTopicResult {
    let (error_code, error_message) = error_fields(refusal);
    let (name, topic_id) = match topic {
        TopicReference::Name(name) => (Some(name), TopicId::ZERO),
        TopicReference::Id(id) => (None, id),
    };
    DeletableTopicResult {
        name,
        topic_id,
        error_code,
        error_message,
        ..DeletableTopicResult::default()
    }
}
