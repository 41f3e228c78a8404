// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeGroupsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_groups_response as theirs;
use precursor_protocol::messages::describe_groups_response as ours;

impl ToOracle<theirs::DescribeGroupsResponse> for ours::DescribeGroupsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeGroupsResponse {
        let mut theirs = theirs::DescribeGroupsResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.groups = self.groups.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribedGroup> for ours::DescribedGroup {
    fn to_oracle(&self, version: i16) -> theirs::DescribedGroup {
        let mut theirs = theirs::DescribedGroup::default();
        theirs.error_code = self.error_code.to_oracle(version);
        if version >= 6 {
            theirs.error_message = self.error_message.to_oracle(version);
        }
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.group_state = self.group_state.to_oracle(version);
        theirs.protocol_type = self.protocol_type.to_oracle(version);
        theirs.protocol_data = self.protocol_data.to_oracle(version);
        theirs.members = self.members.to_oracle(version);
        if version >= 3 {
            theirs.authorized_operations = self.authorized_operations.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribedGroupMember> for ours::DescribedGroupMember {
    fn to_oracle(&self, version: i16) -> theirs::DescribedGroupMember {
        let mut theirs = theirs::DescribedGroupMember::default();
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 4 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        theirs.client_id = self.client_id.to_oracle(version);
        theirs.client_host = self.client_host.to_oracle(version);
        theirs.member_metadata = self.member_metadata.to_oracle(version);
        theirs.member_assignment = self.member_assignment.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
