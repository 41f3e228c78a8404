// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! HeartbeatRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::heartbeat_request as theirs;
use precursor_protocol::messages::heartbeat_request as ours;

impl ToOracle<theirs::HeartbeatRequest> for ours::HeartbeatRequest {
    fn to_oracle(&self, version: i16) -> theirs::HeartbeatRequest {
        let mut theirs = theirs::HeartbeatRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.generation_id = self.generation_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 3 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
