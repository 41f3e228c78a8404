// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random TxnOffsetCommitResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::txn_offset_commit_response::*;

impl Random for TxnOffsetCommitResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| TxnOffsetCommitResponseTopic::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for TxnOffsetCommitResponseTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = if version <= 5 {
            s.string()
        } else {
            String::new()
        };
        let topic_id = if version >= 6 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let partitions = s.array(|s| TxnOffsetCommitResponsePartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitResponseTopic {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for TxnOffsetCommitResponsePartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitResponsePartition {
            partition_index,
            error_code,
            unknown_tagged_fields,
        }
    }
}
