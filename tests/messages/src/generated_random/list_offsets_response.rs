// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListOffsetsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_offsets_response::*;

impl Random for ListOffsetsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 2 { s.int32() } else { 0 };
        let topics = s.array(|s| ListOffsetsTopicResponse::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListOffsetsTopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| ListOffsetsPartitionResponse::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsTopicResponse {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListOffsetsPartitionResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let timestamp = s.int64();
        let offset = s.int64();
        let leader_epoch = if version >= 4 { s.int32() } else { -1 };
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsPartitionResponse {
            partition_index,
            error_code,
            timestamp,
            offset,
            leader_epoch,
            unknown_tagged_fields,
        }
    }
}
