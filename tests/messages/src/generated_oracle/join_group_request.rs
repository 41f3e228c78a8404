// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! JoinGroupRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::join_group_request as theirs;
use precursor_protocol::messages::join_group_request as ours;

impl ToOracle<theirs::JoinGroupRequest> for ours::JoinGroupRequest {
    fn to_oracle(&self, version: i16) -> theirs::JoinGroupRequest {
        let mut theirs = theirs::JoinGroupRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.session_timeout_ms = self.session_timeout_ms.to_oracle(version);
        if version >= 1 {
            theirs.rebalance_timeout_ms = self.rebalance_timeout_ms.to_oracle(version);
        }
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 5 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        theirs.protocol_type = self.protocol_type.to_oracle(version);
        theirs.protocols = self.protocols.to_oracle(version);
        if version >= 8 {
            theirs.reason = self.reason.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::JoinGroupRequestProtocol> for ours::JoinGroupRequestProtocol {
    fn to_oracle(&self, version: i16) -> theirs::JoinGroupRequestProtocol {
        let mut theirs = theirs::JoinGroupRequestProtocol::default();
        theirs.name = self.name.to_oracle(version);
        theirs.metadata = self.metadata.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
