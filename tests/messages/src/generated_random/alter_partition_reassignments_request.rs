// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterPartitionReassignmentsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_partition_reassignments_request::*;

impl Random for AlterPartitionReassignmentsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let timeout_ms = s.int32();
        let allow_replication_factor_change = if version >= 1 { s.bool() } else { true };
        let topics = s.array(|s| ReassignableTopic::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AlterPartitionReassignmentsRequest {
            timeout_ms,
            allow_replication_factor_change,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReassignableTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| ReassignablePartition::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ReassignableTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReassignablePartition {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        let replicas = s.option(true, |s| s.array(|s| s.int32()));
        let unknown_tagged_fields = s.tags(true, 0);
        ReassignablePartition {
            partition_index,
            replicas,
            unknown_tagged_fields,
        }
    }
}
