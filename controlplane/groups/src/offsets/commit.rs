//! OffsetCommit: what of a request is written.

use crate::command::{Record, Response};
use crate::group::Group;
use crate::records::RecordKey;
use crate::turn::{Change, NewOffset, OffsetChange, Reply, Turn};
use precursor_model::ErrorCode;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use precursor_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use std::sync::Arc;

/// Every partition of the request with one error.
pub(crate) fn refused(request: &OffsetCommitRequest, error: ErrorCode) -> OffsetCommitResponse {
    answer(&request.topics, |_| error)
}

fn answer(
    topics: &[OffsetCommitRequestTopic],
    mut error_of: impl FnMut(&OffsetCommitRequestPartition) -> ErrorCode,
) -> OffsetCommitResponse {
    let topics = topics.iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: error_of(partition).code(),
                ..OffsetCommitResponsePartition::default()
            })
            .collect(),
        ..OffsetCommitResponseTopic::default()
    });
    OffsetCommitResponse {
        topics: topics.collect(),
        ..OffsetCommitResponse::default()
    }
}

impl Group {
    /// Writes the offsets of a request that the group's members, or nobody, may commit.
    pub(crate) fn write_offsets(
        &mut self,
        token: u64,
        request: &OffsetCommitRequest,
        turn: &mut Turn<'_>,
    ) {
        let length_max = turn.config.offset_metadata_length_max;
        let room = turn
            .config
            .limits
            .offsets_per_group_max
            .saturating_sub(self.offsets.len());
        let asked: usize = request.topics.iter().map(|t| t.partitions.len()).sum();
        if asked > room.max(self.offsets.len()) {
            let response = refused(request, ErrorCode::InvalidCommitOffsetSize);
            turn.reply(token, Response::OffsetCommit(response));
            return;
        }
        let expire_timestamp_ms = match request.retention_time_ms {
            -1 => -1,
            retention => turn.now.wall_ms.saturating_add(retention),
        };
        let mut records = Vec::new();
        let mut changes = Vec::new();
        for topic in &request.topics {
            let name: Arc<str> = topic.name.as_str().into();
            for partition in &topic.partitions {
                if too_long(partition, length_max) {
                    continue;
                }
                let metadata = partition.committed_metadata.as_deref();
                let offset = NewOffset {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: metadata.filter(|text| !text.is_empty()).map(Box::from),
                    commit_timestamp_ms: turn.now.wall_ms,
                    expire_timestamp_ms,
                    topic_id: topic.topic_id,
                };
                // Names and metadata came out of a message, so they fit into a record.
                let key = RecordKey::Offset {
                    group_id: &self.id,
                    topic: &name,
                    partition: partition.partition_index,
                };
                let (Ok(key), Ok(value)) = (key.encode(), offset.value().encode()) else {
                    continue;
                };
                records.push(Record {
                    key,
                    value: Some(value),
                });
                changes.push(OffsetChange {
                    topic: name.clone(),
                    partition: partition.partition_index,
                    offset: Some(offset),
                });
            }
        }
        let response = Response::OffsetCommit(answer(&request.topics, |partition| {
            if too_long(partition, length_max) {
                ErrorCode::OffsetMetadataTooLarge
            } else {
                ErrorCode::None
            }
        }));
        if records.is_empty() {
            turn.reply(token, response);
        } else {
            let reply = Some(Reply::Response { token, response });
            turn.append(&self.id, records, Change::Offsets(changes), reply);
        }
    }
}

/// Kafka counts the UTF-16 units of a Java string, whatever the option's name says.
fn too_long(partition: &OffsetCommitRequestPartition, length_max: usize) -> bool {
    let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
    // Bytes are never fewer than units.
    metadata.len() > length_max && metadata.encode_utf16().count() > length_max
}
