// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListPartitionReassignmentsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_partition_reassignments_request::*;

impl Random for ListPartitionReassignmentsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let timeout_ms = s.int32();
        let topics = s.option(true, |s| {
            s.array(|s| ListPartitionReassignmentsTopics::random(s, version))
        });
        let unknown_tagged_fields = s.tags(true, 0);
        ListPartitionReassignmentsRequest {
            timeout_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListPartitionReassignmentsTopics {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let partition_indexes = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        ListPartitionReassignmentsTopics {
            name,
            partition_indexes,
            unknown_tagged_fields,
        }
    }
}
