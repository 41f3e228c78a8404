// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetForLeaderEpochRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_for_leader_epoch_request::*;

impl Random for OffsetForLeaderEpochRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let replica_id = if version >= 3 { s.int32() } else { -2 };
        let topics = s.array(|s| OffsetForLeaderTopic::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        OffsetForLeaderEpochRequest {
            replica_id,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetForLeaderTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = s.string();
        let partitions = s.array(|s| OffsetForLeaderPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        OffsetForLeaderTopic {
            topic,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetForLeaderPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition = s.int32();
        let current_leader_epoch = s.int32();
        let leader_epoch = s.int32();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        OffsetForLeaderPartition {
            partition,
            current_leader_epoch,
            leader_epoch,
            unknown_tagged_fields,
        }
    }
}
