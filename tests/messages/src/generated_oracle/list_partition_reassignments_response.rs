// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListPartitionReassignmentsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_partition_reassignments_response as theirs;
use precursor_protocol::messages::list_partition_reassignments_response as ours;

impl ToOracle<theirs::ListPartitionReassignmentsResponse>
    for ours::ListPartitionReassignmentsResponse
{
    fn to_oracle(&self, version: i16) -> theirs::ListPartitionReassignmentsResponse {
        let mut theirs = theirs::ListPartitionReassignmentsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OngoingTopicReassignment> for ours::OngoingTopicReassignment {
    fn to_oracle(&self, version: i16) -> theirs::OngoingTopicReassignment {
        let mut theirs = theirs::OngoingTopicReassignment::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OngoingPartitionReassignment> for ours::OngoingPartitionReassignment {
    fn to_oracle(&self, version: i16) -> theirs::OngoingPartitionReassignment {
        let mut theirs = theirs::OngoingPartitionReassignment::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.replicas = self.replicas.to_oracle(version);
        theirs.adding_replicas = self.adding_replicas.to_oracle(version);
        theirs.removing_replicas = self.removing_replicas.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
