// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SyncGroupRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::sync_group_request as theirs;
use precursor_protocol::messages::sync_group_request as ours;

impl ToOracle<theirs::SyncGroupRequest> for ours::SyncGroupRequest {
    fn to_oracle(&self, version: i16) -> theirs::SyncGroupRequest {
        let mut theirs = theirs::SyncGroupRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.generation_id = self.generation_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 3 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        if version >= 5 {
            theirs.protocol_type = self.protocol_type.to_oracle(version);
        }
        if version >= 5 {
            theirs.protocol_name = self.protocol_name.to_oracle(version);
        }
        theirs.assignments = self.assignments.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::SyncGroupRequestAssignment> for ours::SyncGroupRequestAssignment {
    fn to_oracle(&self, version: i16) -> theirs::SyncGroupRequestAssignment {
        let mut theirs = theirs::SyncGroupRequestAssignment::default();
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.assignment = self.assignment.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
