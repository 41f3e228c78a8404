// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterPartitionReassignmentsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_partition_reassignments_response::*;

impl Random for AlterPartitionReassignmentsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let allow_replication_factor_change = if version >= 1 { s.bool() } else { true };
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let responses = s.array(|s| ReassignableTopicResponse::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AlterPartitionReassignmentsResponse {
            throttle_time_ms,
            allow_replication_factor_change,
            error_code,
            error_message,
            responses,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReassignableTopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| ReassignablePartitionResponse::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ReassignableTopicResponse {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReassignablePartitionResponse {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        ReassignablePartitionResponse {
            partition_index,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}
