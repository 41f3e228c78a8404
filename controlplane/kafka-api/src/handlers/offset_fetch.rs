//! OffsetFetch, key 9, versions 1–10: one group, from version 8 several (KIP-709); topics by id from
//! version 10 (KIP-848).

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::OffsetFetchRequest as Request;
use precursor_protocol::messages::OffsetFetchResponse;
use precursor_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use precursor_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use std::collections::HashSet;

/// Several groups in one request.
const SEVERAL: i16 = 8;
/// Topics by id alone.
const BY_ID: i16 = 10;
/// An error of the whole group has a place of its own.
const GROUP_ERROR: i16 = 2;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> OffsetFetchResponse {
    let require_stable = request.require_stable;
    if version < SEVERAL {
        let asked = single_group(request);
        let topics = asked.topics.clone();
        let group = fetch(api, client, version, asked, require_stable).await;
        return single_response(version, group, topics);
    }
    let mut groups = Vec::with_capacity(request.groups.len());
    let mut seen = HashSet::new();
    for group in request.groups {
        // Asked for twice is answered once: the work must not grow by repetition.
        if seen.insert(group.group_id.clone()) {
            let fetched = fetch(api, client.clone(), version, group, require_stable);
            groups.push(fetched.await);
        }
    }
    OffsetFetchResponse {
        groups,
        ..OffsetFetchResponse::default()
    }
}

async fn fetch(
    api: &Api,
    client: Client,
    version: i16,
    mut group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let group_id = group.group_id.clone();
    let unknown = match version {
        BY_ID.. => name_topics(api, &mut group),
        _ => Vec::new(),
    };
    let asked = Asked::OffsetFetch {
        group,
        require_stable,
    };
    let answer = api
        .coordinator
        .ask_group(&group_id, client, version, asked)
        .await;
    match answer {
        Ok(Response::OffsetFetch(mut response)) => {
            if response.error_code == 0 {
                response.topics.extend(unknown);
            }
            response
        }
        other => OffsetFetchResponseGroup {
            group_id,
            error_code: coordinator_error(other),
            ..OffsetFetchResponseGroup::default()
        },
    }
}

/// Gives topics the names of their ids; those that do not exist are taken out and answered here.
fn name_topics(api: &Api, group: &mut OffsetFetchRequestGroup) -> Vec<OffsetFetchResponseTopics> {
    let mut unknown = Vec::new();
    if let Some(topics) = &mut group.topics {
        api.consensus.read(|state| {
            topics.retain_mut(|topic| match state.topic(topic.topic_id) {
                Some(found) => {
                    topic.name.clone_from(&found.name);
                    true
                }
                None => {
                    unknown.push(unknown_topic(topic));
                    false
                }
            });
        });
    }
    unknown
}

fn unknown_topic(topic: &OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter();
    OffsetFetchResponseTopics {
        topic_id: topic.topic_id,
        partitions: partitions
            .map(|index| OffsetFetchResponsePartitions {
                partition_index: *index,
                committed_offset: -1,
                committed_leader_epoch: -1,
                metadata: Some(String::new()),
                error_code: ErrorCode::UnknownTopicId.code(),
                ..OffsetFetchResponsePartitions::default()
            })
            .collect(),
        ..OffsetFetchResponseTopics::default()
    }
}

/// The one group of a request before version 8.
fn single_group(request: Request) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter();
        topics
            .map(|topic| OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..OffsetFetchRequestTopics::default()
            })
            .collect()
    });
    OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics,
        ..OffsetFetchRequestGroup::default()
    }
}

/// The response before version 8. Version 1 has no place for the group's error but its partitions.
fn single_response(
    version: i16,
    group: OffsetFetchResponseGroup,
    asked: Option<Vec<OffsetFetchRequestTopics>>,
) -> OffsetFetchResponse {
    let error_code = group.error_code;
    let topics = if version < GROUP_ERROR && error_code != 0 {
        let topics = asked.unwrap_or_default().into_iter();
        topics
            .map(|topic| OffsetFetchResponseTopic {
                partitions: topic
                    .partition_indexes
                    .into_iter()
                    .map(|index| refused_partition(index, error_code))
                    .collect(),
                name: topic.name,
                ..OffsetFetchResponseTopic::default()
            })
            .collect()
    } else {
        group.topics.into_iter().map(single_topic).collect()
    };
    OffsetFetchResponse {
        topics,
        error_code,
        ..OffsetFetchResponse::default()
    }
}

fn single_topic(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter();
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: partitions
            .map(|partition| OffsetFetchResponsePartition {
                partition_index: partition.partition_index,
                committed_offset: partition.committed_offset,
                committed_leader_epoch: partition.committed_leader_epoch,
                metadata: partition.metadata,
                error_code: partition.error_code,
                ..OffsetFetchResponsePartition::default()
            })
            .collect(),
        ..OffsetFetchResponseTopic::default()
    }
}

fn refused_partition(index: i32, error_code: i16) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index: index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(String::new()),
        error_code,
        ..OffsetFetchResponsePartition::default()
    }
}
