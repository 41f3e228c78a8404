// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterPartitionReassignmentsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_partition_reassignments_response as theirs;
use precursor_protocol::messages::alter_partition_reassignments_response as ours;

impl ToOracle<theirs::AlterPartitionReassignmentsResponse>
    for ours::AlterPartitionReassignmentsResponse
{
    fn to_oracle(&self, version: i16) -> theirs::AlterPartitionReassignmentsResponse {
        let mut theirs = theirs::AlterPartitionReassignmentsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 1 {
            theirs.allow_replication_factor_change =
                self.allow_replication_factor_change.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.responses = self.responses.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReassignableTopicResponse> for ours::ReassignableTopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::ReassignableTopicResponse {
        let mut theirs = theirs::ReassignableTopicResponse::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReassignablePartitionResponse> for ours::ReassignablePartitionResponse {
    fn to_oracle(&self, version: i16) -> theirs::ReassignablePartitionResponse {
        let mut theirs = theirs::ReassignablePartitionResponse::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
