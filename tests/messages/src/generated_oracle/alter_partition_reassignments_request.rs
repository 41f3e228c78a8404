// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterPartitionReassignmentsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_partition_reassignments_request as theirs;
use precursor_protocol::messages::alter_partition_reassignments_request as ours;

impl ToOracle<theirs::AlterPartitionReassignmentsRequest>
    for ours::AlterPartitionReassignmentsRequest
{
    fn to_oracle(&self, version: i16) -> theirs::AlterPartitionReassignmentsRequest {
        let mut theirs = theirs::AlterPartitionReassignmentsRequest::default();
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        if version >= 1 {
            theirs.allow_replication_factor_change =
                self.allow_replication_factor_change.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReassignableTopic> for ours::ReassignableTopic {
    fn to_oracle(&self, version: i16) -> theirs::ReassignableTopic {
        let mut theirs = theirs::ReassignableTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReassignablePartition> for ours::ReassignablePartition {
    fn to_oracle(&self, version: i16) -> theirs::ReassignablePartition {
        let mut theirs = theirs::ReassignablePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.replicas = self.replicas.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
