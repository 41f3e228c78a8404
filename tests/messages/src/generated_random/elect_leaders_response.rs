// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ElectLeadersResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::elect_leaders_response::*;

impl Random for ElectLeadersResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = if version >= 1 { s.int16() } else { 0 };
        let replica_election_results = s.array(|s| ReplicaElectionResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        ElectLeadersResponse {
            throttle_time_ms,
            error_code,
            replica_election_results,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReplicaElectionResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = s.string();
        let partition_result = s.array(|s| PartitionResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        ReplicaElectionResult {
            topic,
            partition_result,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_id = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        PartitionResult {
            partition_id,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}
