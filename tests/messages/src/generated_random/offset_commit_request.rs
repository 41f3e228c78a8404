// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetCommitRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_commit_request::*;

impl Random for OffsetCommitRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let generation_id_or_member_epoch = s.int32();
        let member_id = s.string();
        let group_instance_id = if version >= 7 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let retention_time_ms = if version <= 4 { s.int64() } else { -1 };
        let topics = s.array(|s| OffsetCommitRequestTopic::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitRequest {
            group_id,
            generation_id_or_member_epoch,
            member_id,
            group_instance_id,
            retention_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetCommitRequestTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = if version <= 9 {
            s.string()
        } else {
            String::new()
        };
        let topic_id = if version >= 10 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let partitions = s.array(|s| OffsetCommitRequestPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitRequestTopic {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetCommitRequestPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let committed_offset = s.int64();
        let committed_leader_epoch = if version >= 6 { s.int32() } else { -1 };
        let committed_metadata = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitRequestPartition {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            committed_metadata,
            unknown_tagged_fields,
        }
    }
}
