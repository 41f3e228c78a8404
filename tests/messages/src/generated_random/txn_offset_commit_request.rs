// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random TxnOffsetCommitRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::txn_offset_commit_request::*;

impl Random for TxnOffsetCommitRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.string();
        let group_id = s.string();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let generation_id_or_member_epoch = if version >= 3 { s.int32() } else { -1 };
        let member_id = if version >= 3 {
            s.string()
        } else {
            String::new()
        };
        let group_instance_id = if version >= 3 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let topics = s.array(|s| TxnOffsetCommitRequestTopic::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitRequest {
            transactional_id,
            group_id,
            producer_id,
            producer_epoch,
            generation_id_or_member_epoch,
            member_id,
            group_instance_id,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for TxnOffsetCommitRequestTopic {
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
        let partitions = s.array(|s| TxnOffsetCommitRequestPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitRequestTopic {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for TxnOffsetCommitRequestPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let committed_offset = s.int64();
        let committed_leader_epoch = if version >= 2 { s.int32() } else { -1 };
        let committed_metadata = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        TxnOffsetCommitRequestPartition {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            committed_metadata,
            unknown_tagged_fields,
        }
    }
}
