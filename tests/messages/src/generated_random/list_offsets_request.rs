// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListOffsetsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_offsets_request::*;

impl Random for ListOffsetsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let replica_id = s.int32();
        let isolation_level = if version >= 2 { s.int8() } else { 0 };
        let topics = s.array(|s| ListOffsetsTopic::random(s, version));
        let timeout_ms = if version >= 10 { s.int32() } else { 0 };
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsRequest {
            replica_id,
            isolation_level,
            topics,
            timeout_ms,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListOffsetsTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| ListOffsetsPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListOffsetsPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let current_leader_epoch = if version >= 4 { s.int32() } else { -1 };
        let timestamp = s.int64();
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        ListOffsetsPartition {
            partition_index,
            current_leader_epoch,
            timestamp,
            unknown_tagged_fields,
        }
    }
}
