// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FindCoordinatorResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::find_coordinator_response as theirs;
use precursor_protocol::messages::find_coordinator_response as ours;

impl ToOracle<theirs::FindCoordinatorResponse> for ours::FindCoordinatorResponse {
    fn to_oracle(&self, version: i16) -> theirs::FindCoordinatorResponse {
        let mut theirs = theirs::FindCoordinatorResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        if version <= 3 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        if (1..=3).contains(&version) {
            theirs.error_message = self.error_message.to_oracle(version);
        }
        if version <= 3 {
            theirs.node_id = self.node_id.to_oracle(version);
        }
        if version <= 3 {
            theirs.host = self.host.to_oracle(version);
        }
        if version <= 3 {
            theirs.port = self.port.to_oracle(version);
        }
        if version >= 4 {
            theirs.coordinators = self.coordinators.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::Coordinator> for ours::Coordinator {
    fn to_oracle(&self, version: i16) -> theirs::Coordinator {
        let mut theirs = theirs::Coordinator::default();
        theirs.key = self.key.to_oracle(version);
        theirs.node_id = self.node_id.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.port = self.port.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
