// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetCommitResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_commit_response::*;

impl Random for OffsetCommitResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 3 { s.int32() } else { 0 };
        let topics = s.array(|s| OffsetCommitResponseTopic::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetCommitResponseTopic {
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
        let partitions = s.array(|s| OffsetCommitResponsePartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitResponseTopic {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetCommitResponsePartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 8, 0);
        OffsetCommitResponsePartition {
            partition_index,
            error_code,
            unknown_tagged_fields,
        }
    }
}
