// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetDeleteResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_delete_response::*;

impl Random for OffsetDeleteResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| OffsetDeleteResponseTopic::random(s, version));
        OffsetDeleteResponse {
            error_code,
            throttle_time_ms,
            topics,
        }
    }
}

impl Random for OffsetDeleteResponseTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| OffsetDeleteResponsePartition::random(s, version));
        OffsetDeleteResponseTopic { name, partitions }
    }
}

impl Random for OffsetDeleteResponsePartition {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        OffsetDeleteResponsePartition {
            partition_index,
            error_code,
        }
    }
}
