// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteGroupsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_groups_response as theirs;
use precursor_protocol::messages::delete_groups_response as ours;

impl ToOracle<theirs::DeleteGroupsResponse> for ours::DeleteGroupsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DeleteGroupsResponse {
        let mut theirs = theirs::DeleteGroupsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeletableGroupResult> for ours::DeletableGroupResult {
    fn to_oracle(&self, version: i16) -> theirs::DeletableGroupResult {
        let mut theirs = theirs::DeletableGroupResult::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
