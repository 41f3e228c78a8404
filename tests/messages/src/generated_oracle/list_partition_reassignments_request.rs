// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListPartitionReassignmentsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_partition_reassignments_request as theirs;
use precursor_protocol::messages::list_partition_reassignments_request as ours;

impl ToOracle<theirs::ListPartitionReassignmentsRequest>
    for ours::ListPartitionReassignmentsRequest
{
    fn to_oracle(&self, version: i16) -> theirs::ListPartitionReassignmentsRequest {
        let mut theirs = theirs::ListPartitionReassignmentsRequest::default();
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListPartitionReassignmentsTopics> for ours::ListPartitionReassignmentsTopics {
    fn to_oracle(&self, version: i16) -> theirs::ListPartitionReassignmentsTopics {
        let mut theirs = theirs::ListPartitionReassignmentsTopics::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partition_indexes = self.partition_indexes.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
