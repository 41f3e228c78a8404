// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ElectLeadersResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::elect_leaders_response as theirs;
use precursor_protocol::messages::elect_leaders_response as ours;

impl ToOracle<theirs::ElectLeadersResponse> for ours::ElectLeadersResponse {
    fn to_oracle(&self, version: i16) -> theirs::ElectLeadersResponse {
        let mut theirs = theirs::ElectLeadersResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 1 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        theirs.replica_election_results = self.replica_election_results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReplicaElectionResult> for ours::ReplicaElectionResult {
    fn to_oracle(&self, version: i16) -> theirs::ReplicaElectionResult {
        let mut theirs = theirs::ReplicaElectionResult::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partition_result = self.partition_result.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::PartitionResult> for ours::PartitionResult {
    fn to_oracle(&self, version: i16) -> theirs::PartitionResult {
        let mut theirs = theirs::PartitionResult::default();
        theirs.partition_id = self.partition_id.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
