// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! HeartbeatResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::heartbeat_response as theirs;
use precursor_protocol::messages::heartbeat_response as ours;

impl ToOracle<theirs::HeartbeatResponse> for ours::HeartbeatResponse {
    fn to_oracle(&self, version: i16) -> theirs::HeartbeatResponse {
        let mut theirs = theirs::HeartbeatResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
