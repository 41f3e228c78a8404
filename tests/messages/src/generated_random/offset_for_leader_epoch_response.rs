// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetForLeaderEpochResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_for_leader_epoch_response::*;

impl Random for OffsetForLeaderEpochResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| OffsetForLeaderTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        OffsetForLeaderEpochResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetForLeaderTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = s.string();
        let partitions = s.array(|s| EpochEndOffset::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        OffsetForLeaderTopicResult {
            topic,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for EpochEndOffset {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let partition = s.int32();
        let leader_epoch = s.int32();
        let end_offset = s.int64();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        EpochEndOffset {
            error_code,
            partition,
            leader_epoch,
            end_offset,
            unknown_tagged_fields,
        }
    }
}
