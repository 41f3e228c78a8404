// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListGroupsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_groups_response as theirs;
use precursor_protocol::messages::list_groups_response as ours;

impl ToOracle<theirs::ListGroupsResponse> for ours::ListGroupsResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListGroupsResponse {
        let mut theirs = theirs::ListGroupsResponse::default();
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.groups = self.groups.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListedGroup> for ours::ListedGroup {
    fn to_oracle(&self, version: i16) -> theirs::ListedGroup {
        let mut theirs = theirs::ListedGroup::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.protocol_type = self.protocol_type.to_oracle(version);
        if version >= 4 {
            theirs.group_state = self.group_state.to_oracle(version);
        }
        if version >= 5 {
            theirs.group_type = self.group_type.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
