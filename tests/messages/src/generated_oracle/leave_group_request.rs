// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! LeaveGroupRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::leave_group_request as theirs;
use precursor_protocol::messages::leave_group_request as ours;

impl ToOracle<theirs::LeaveGroupRequest> for ours::LeaveGroupRequest {
    fn to_oracle(&self, version: i16) -> theirs::LeaveGroupRequest {
        let mut theirs = theirs::LeaveGroupRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        if version <= 2 {
            theirs.member_id = self.member_id.to_oracle(version);
        }
        if version >= 3 {
            theirs.members = self.members.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MemberIdentity> for ours::MemberIdentity {
    fn to_oracle(&self, version: i16) -> theirs::MemberIdentity {
        let mut theirs = theirs::MemberIdentity::default();
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        if version >= 5 {
            theirs.reason = self.reason.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
