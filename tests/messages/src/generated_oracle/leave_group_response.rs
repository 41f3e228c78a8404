// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! LeaveGroupResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::leave_group_response as theirs;
use precursor_protocol::messages::leave_group_response as ours;

impl ToOracle<theirs::LeaveGroupResponse> for ours::LeaveGroupResponse {
    fn to_oracle(&self, version: i16) -> theirs::LeaveGroupResponse {
        let mut theirs = theirs::LeaveGroupResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        if version >= 3 {
            theirs.members = self.members.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MemberResponse> for ours::MemberResponse {
    fn to_oracle(&self, version: i16) -> theirs::MemberResponse {
        let mut theirs = theirs::MemberResponse::default();
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
