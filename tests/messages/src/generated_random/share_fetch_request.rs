// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareFetchRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_fetch_request::*;

impl Random for ShareFetchRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.option(true, |s| s.string());
        let member_id = s.option(true, |s| s.string());
        let share_session_epoch = s.int32();
        let max_wait_ms = s.int32();
        let min_bytes = s.int32();
        let max_bytes = s.int32();
        let max_records = s.int32();
        let batch_size = s.int32();
        let share_acquire_mode = if version >= 2 { s.int8() } else { 0 };
        let is_renew_ack = if version >= 2 { s.bool() } else { false };
        let topics = s.array(|s| FetchTopic::random(s, version));
        let forgotten_topics_data = s.array(|s| ForgottenTopic::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareFetchRequest {
            group_id,
            member_id,
            share_session_epoch,
            max_wait_ms,
            min_bytes,
            max_bytes,
            max_records,
            batch_size,
            share_acquire_mode,
            is_renew_ack,
            topics,
            forgotten_topics_data,
            unknown_tagged_fields,
        }
    }
}

impl Random for FetchTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| FetchPartition::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        FetchTopic {
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for FetchPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let partition_max_bytes = if false { s.int32() } else { 0 };
        let acknowledgement_batches = s.array(|s| AcknowledgementBatch::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        FetchPartition {
            partition_index,
            partition_max_bytes,
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

impl Random for ForgottenTopic {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        ForgottenTopic {
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}
