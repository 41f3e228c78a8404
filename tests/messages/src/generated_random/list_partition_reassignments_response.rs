// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListPartitionReassignmentsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_partition_reassignments_response::*;

impl Random for ListPartitionReassignmentsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let topics = s.array(|s| OngoingTopicReassignment::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ListPartitionReassignmentsResponse {
            throttle_time_ms,
            error_code,
            error_message,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OngoingTopicReassignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| OngoingPartitionReassignment::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        OngoingTopicReassignment {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OngoingPartitionReassignment {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        let replicas = s.array(|s| s.int32());
        let adding_replicas = s.array(|s| s.int32());
        let removing_replicas = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        OngoingPartitionReassignment {
            partition_index,
            replicas,
            adding_replicas,
            removing_replicas,
            unknown_tagged_fields,
        }
    }
}
