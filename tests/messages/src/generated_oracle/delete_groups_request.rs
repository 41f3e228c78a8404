// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteGroupsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_groups_request as theirs;
use precursor_protocol::messages::delete_groups_request as ours;

impl ToOracle<theirs::DeleteGroupsRequest> for ours::DeleteGroupsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DeleteGroupsRequest {
        let mut theirs = theirs::DeleteGroupsRequest::default();
        theirs.groups_names = self.groups_names.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
