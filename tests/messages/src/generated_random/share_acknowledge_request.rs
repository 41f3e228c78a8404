// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareAcknowledgeRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_acknowledge_request::*;

impl Random for ShareAcknowledgeRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.option(true, |s| s.string());
        let member_id = s.option(true, |s| s.string());
        let share_session_epoch = s.int32();
        let is_renew_ack = if version >= 2 { s.bool() } else { false };
        let topics = s.array(|s| AcknowledgeTopic::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareAcknowledgeRequest {
            group_id,
            member_id,
            share_session_epoch,
            is_renew_ack,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for AcknowledgeTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| AcknowledgePartition::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AcknowledgeTopic {
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for AcknowledgePartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let acknowledgement_batches = s.array(|s| AcknowledgementBatch::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AcknowledgePartition {
            partition_index,
            acknowledgement_batches,
            unknown_tagged_fields,
        }
    }
}

impl Random for AcknowledgementBatch {
    fn random(s: &mut Source, _version: i16) -> Self {
        let first_offset = s.int64();
        let last_offset = s.int64();
        let acknowledge_types = s.array(|s| s.int8());
        let unknown_tagged_fields = s.tags(true, 0);
        AcknowledgementBatch {
            first_offset,
            last_offset,
            acknowledge_types,
            unknown_tagged_fields,
        }
    }
}
