// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! JoinGroupResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::join_group_response as theirs;
use precursor_protocol::messages::join_group_response as ours;

impl ToOracle<theirs::JoinGroupResponse> for ours::JoinGroupResponse {
    fn to_oracle(&self, version: i16) -> theirs::JoinGroupResponse {
        let mut theirs = theirs::JoinGroupResponse::default();
        if version >= 2 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.generation_id = self.generation_id.to_oracle(version);
        if version >= 7 {
            theirs.protocol_type = self.protocol_type.to_oracle(version);
        }
        theirs.protocol_name = self.protocol_name.to_oracle(version);
        theirs.leader = self.leader.to_oracle(version);
        if version >= 9 {
            theirs.skip_assignment = self.skip_assignment.to_oracle(version);
        }
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.members = self.members.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::JoinGroupResponseMember> for ours::JoinGroupResponseMember {
    fn to_oracle(&self, version: i16) -> theirs::JoinGroupResponseMember {
        let mut theirs = theirs::JoinGroupResponseMember::default();
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 5 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        theirs.metadata = self.metadata.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
