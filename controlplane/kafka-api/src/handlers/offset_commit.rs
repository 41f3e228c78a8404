//! OffsetCommit, key 8, versions 2–10; topics by id from version 10 (KIP-848). Partitions that do not
//! exist are refused here, the rest goes to the group's coordinator.

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Early, Request as GroupRequest, Response};
use precursor_metadata::{Metadata, Topic};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::OffsetCommitRequest as Request;
use precursor_protocol::messages::OffsetCommitResponse;
use precursor_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use precursor_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};

/// From this version on topics are named by id alone.
const BY_ID: i16 = 10;

/// Who asks, and the request's name on its shard.
pub(crate) struct Asked {
    pub client: Client,
    pub version: i16,
    pub shard: u16,
    pub token: u64,
}

/// The response; `None` when the shard has sent it, as `frame` made it, with the append that it told
/// of. That saves the way from the shard to here and back, and with it two waits for a processor.
pub(crate) async fn handle(
    api: &Api,
    asked: Asked,
    mut request: Request,
    frame: impl FnOnce(&OffsetCommitResponse) -> Option<Vec<u8>> + Send + 'static,
) -> Option<OffsetCommitResponse> {
    let group = request.group_id.clone();
    let version = asked.version;
    let topics = std::mem::take(&mut request.topics);
    let (responses, sound) = api.consensus.read(|state| check(state, version, topics));
    if sound.is_empty() {
        return Some(respond(responses));
    }
    request.topics = sound;
    let refused = responses.clone();
    let early = Early {
        shard: asked.shard,
        token: asked.token,
        frame: Box::new(move |answer| frame(&filled(refused, Ok(answer.clone())))),
    };
    let commit = GroupRequest::OffsetCommit(request);
    let answer = api
        .coordinator
        .ask_group_early(&group, asked.client, version, commit, early);
    match answer.await {
        Ok(None) => None,
        Ok(Some(answer)) => Some(filled(responses, Ok(answer))),
        Err(code) => Some(filled(responses, Err(code))),
    }
}

fn filled(
    mut responses: Vec<OffsetCommitResponseTopic>,
    answer: Result<Response, ErrorCode>,
) -> OffsetCommitResponse {
    fill(&mut responses, answer);
    respond(responses)
}

fn respond(topics: Vec<OffsetCommitResponseTopic>) -> OffsetCommitResponse {
    OffsetCommitResponse {
        topics,
        ..OffsetCommitResponse::default()
    }
}

/// The response with the errors of what does not exist, and the topics with what does.
fn check(
    state: &Metadata,
    version: i16,
    topics: Vec<OffsetCommitRequestTopic>,
) -> (
    Vec<OffsetCommitResponseTopic>,
    Vec<OffsetCommitRequestTopic>,
) {
    let (mut responses, mut sound) = (Vec::with_capacity(topics.len()), Vec::new());
    for mut topic in topics {
        let found = match version {
            BY_ID.. => state.topic(topic.topic_id),
            _ => state.topic_named(&topic.name),
        };
        let partitions = topic.partitions.iter();
        responses.push(OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: partition_error(found, version, partition.partition_index).code(),
                    ..OffsetCommitResponsePartition::default()
                })
                .collect(),
            ..OffsetCommitResponseTopic::default()
        });
        if let Some(found) = found {
            topic.name.clone_from(&found.name);
            topic.topic_id = found.id;
            topic.partitions.retain(|partition| {
                !partition_error(Some(found), version, partition.partition_index).is_error()
            });
            if !topic.partitions.is_empty() {
                sound.push(topic);
            }
        }
    }
    (responses, sound)
}

fn partition_error(topic: Option<&Topic>, version: i16, partition: i32) -> ErrorCode {
    let exists = |topic: &Topic| {
        usize::try_from(partition).is_ok_and(|partition| partition < topic.partitions.len())
    };
    match topic {
        Some(topic) if exists(topic) => ErrorCode::None,
        None if version >= BY_ID => ErrorCode::UnknownTopicId,
        _ => ErrorCode::UnknownTopicOrPartition,
    }
}

/// Puts the coordinator's outcomes, which keep the request's order, where there is no error yet.
fn fill(responses: &mut [OffsetCommitResponseTopic], answer: Result<Response, ErrorCode>) {
    let partitions = responses.iter_mut().flat_map(|topic| &mut topic.partitions);
    let open = partitions.filter(|partition| partition.error_code == 0);
    match answer {
        Ok(Response::OffsetCommit(answer)) => {
            let outcomes = answer.topics.into_iter().flat_map(|topic| topic.partitions);
            for (partition, outcome) in open.zip(outcomes) {
                partition.error_code = outcome.error_code;
            }
        }
        other => {
            let code = coordinator_error(other);
            open.for_each(|partition| partition.error_code = code);
        }
    }
}
