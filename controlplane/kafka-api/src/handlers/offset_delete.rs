//! OffsetDelete, key 47, version 0 (KIP-496). Partitions that do not exist are refused here.

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_metadata::Metadata;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::OffsetDeleteRequest as Request;
use precursor_protocol::messages::OffsetDeleteResponse;
use precursor_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use precursor_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    mut request: Request,
) -> OffsetDeleteResponse {
    let group = request.group_id.clone();
    let topics = std::mem::take(&mut request.topics);
    let (mut responses, sound) = api.consensus.read(|state| check(state, topics));
    // Asked even when no partition is left: whether there is such a group is said first.
    request.topics = sound;
    let asked = Asked::OffsetDelete(request);
    let answer = api.coordinator.ask_group(&group, client, version, asked);
    let error_code = match answer.await {
        Ok(Response::OffsetDelete(answer)) => {
            if answer.error_code == 0 {
                fill(&mut responses, &answer);
            }
            answer.error_code
        }
        other => coordinator_error(other),
    };
    OffsetDeleteResponse {
        error_code,
        // An error of the group stands alone, as in Kafka.
        topics: if error_code == 0 {
            responses
        } else {
            Vec::new()
        },
        ..OffsetDeleteResponse::default()
    }
}

fn check(
    state: &Metadata,
    topics: Vec<OffsetDeleteRequestTopic>,
) -> (
    Vec<OffsetDeleteResponseTopic>,
    Vec<OffsetDeleteRequestTopic>,
) {
    let (mut responses, mut sound) = (Vec::with_capacity(topics.len()), Vec::new());
    for mut topic in topics {
        let count = state
            .topic_named(&topic.name)
            .map_or(0, |topic| topic.partitions.len());
        let exists = |index: i32| usize::try_from(index).is_ok_and(|index| index < count);
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|partition| OffsetDeleteResponsePartition {
            partition_index: partition.partition_index,
            error_code: if exists(partition.partition_index) {
                0
            } else {
                ErrorCode::UnknownTopicOrPartition.code()
            },
        });
        responses.push(OffsetDeleteResponseTopic {
            partitions: partitions.collect(),
            name: topic.name.clone(),
        });
        topic.partitions.retain(|p| exists(p.partition_index));
        if !topic.partitions.is_empty() {
            sound.push(topic);
        }
    }
    (responses, sound)
}

/// Puts the coordinator's outcomes, which keep the request's order, where there is no error yet.
fn fill(responses: &mut [OffsetDeleteResponseTopic], answer: &OffsetDeleteResponse) {
    let partitions = responses.iter_mut().flat_map(|topic| &mut topic.partitions);
    let open = partitions.filter(|partition| partition.error_code == 0);
    let outcomes = answer.topics.iter().flat_map(|topic| &topic.partitions);
    for (partition, outcome) in open.zip(outcomes) {
        partition.error_code = outcome.error_code;
    }
}
