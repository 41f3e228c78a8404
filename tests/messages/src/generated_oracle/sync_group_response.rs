// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SyncGroupResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::sync_group_response as theirs;
use precursor_protocol::messages::sync_group_response as ours;

impl ToOracle<theirs::SyncGroupResponse> for ours::SyncGroupResponse {
    fn to_oracle(&self, version: i16) -> theirs::SyncGroupResponse {
        let mut theirs = theirs::SyncGroupResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        if version >= 5 {
            theirs.protocol_type = self.protocol_type.to_oracle(version);
        }
        if version >= 5 {
            theirs.protocol_name = self.protocol_name.to_oracle(version);
        }
        theirs.assignment = self.assignment.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
