// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetDeleteRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_delete_request::*;

impl Random for OffsetDeleteRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let topics = s.array(|s| OffsetDeleteRequestTopic::random(s, version));
        OffsetDeleteRequest { group_id, topics }
    }
}

impl Random for OffsetDeleteRequestTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| OffsetDeleteRequestPartition::random(s, version));
        OffsetDeleteRequestTopic { name, partitions }
    }
}

impl Random for OffsetDeleteRequestPartition {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        OffsetDeleteRequestPartition { partition_index }
    }
}
