//! OffsetFetch: what is committed and durable.

use super::{CommittedOffset, Offsets};
use crate::topics::Topics;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};

/// The whole group with one error. Versions before 2 have no place for a group's error, so every
/// partition carries it too.
pub(crate) fn refused(
    group: &OffsetFetchRequestGroup,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    let mut response = fetch(group, None, &Topics::default());
    response.error_code = error.code();
    for topic in &mut response.topics {
        for partition in &mut topic.partitions {
            partition.error_code = error.code();
        }
    }
    response
}

/// The group's committed offsets; those that nobody committed are -1, and so are all of a group
/// that does not exist.
pub(crate) fn fetch(
    request: &OffsetFetchRequestGroup,
    offsets: Option<&Offsets>,
    topics: &Topics,
) -> OffsetFetchResponseGroup {
    let topics = match &request.topics {
        Some(asked) => asked
            .iter()
            .map(|asked| {
                let number = topics.names.find(asked.name.as_str());
                let partitions = asked.partition_indexes.iter().map(|index| {
                    let found = number.and_then(|number| offsets?.get(number, *index));
                    // A topic of the same name that was made anew: not what was committed.
                    let found = found.filter(|found| {
                        let stored = found.topic_id(topics);
                        stored == TopicId::ZERO
                            || asked.topic_id == TopicId::ZERO
                            || stored == asked.topic_id
                    });
                    partition(*index, found)
                });
                OffsetFetchResponseTopics {
                    name: asked.name.clone(),
                    topic_id: asked.topic_id,
                    partitions: partitions.collect(),
                    ..OffsetFetchResponseTopics::default()
                }
            })
            .collect(),
        None => all(offsets, topics),
    };
    OffsetFetchResponseGroup {
        group_id: request.group_id.clone(),
        topics,
        ..OffsetFetchResponseGroup::default()
    }
}

fn all(offsets: Option<&Offsets>, topics: &Topics) -> Vec<OffsetFetchResponseTopics> {
    let mut found: Vec<OffsetFetchResponseTopics> = Vec::new();
    let mut last = None;
    for (number, index, offset) in offsets.into_iter().flat_map(Offsets::iter) {
        if last != Some(number) {
            last = Some(number);
            found.push(OffsetFetchResponseTopics {
                name: topics.names.value(number).to_string(),
                topic_id: offset.topic_id(topics),
                ..OffsetFetchResponseTopics::default()
            });
        }
        if let Some(topic) = found.last_mut() {
            topic.partitions.push(partition(index, Some(offset)));
        }
    }
    found
}

fn partition(index: i32, found: Option<&CommittedOffset>) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: found.map_or(-1, |found| found.offset),
        committed_leader_epoch: found.map_or(-1, |found| found.leader_epoch),
        metadata: Some(found.map_or("", CommittedOffset::metadata).to_owned()),
        ..OffsetFetchResponsePartitions::default()
    }
}
