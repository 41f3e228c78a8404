// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FindCoordinatorRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::find_coordinator_request as theirs;
use precursor_protocol::messages::find_coordinator_request as ours;

impl ToOracle<theirs::FindCoordinatorRequest> for ours::FindCoordinatorRequest {
    fn to_oracle(&self, version: i16) -> theirs::FindCoordinatorRequest {
        let mut theirs = theirs::FindCoordinatorRequest::default();
        if version <= 3 {
            theirs.key = self.key.to_oracle(version);
        }
        if version >= 1 {
            theirs.key_type = self.key_type.to_oracle(version);
        }
        if version >= 4 {
            theirs.coordinator_keys = self.coordinator_keys.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
