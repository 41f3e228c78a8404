// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListGroupsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_groups_request as theirs;
use precursor_protocol::messages::list_groups_request as ours;

impl ToOracle<theirs::ListGroupsRequest> for ours::ListGroupsRequest {
    fn to_oracle(&self, version: i16) -> theirs::ListGroupsRequest {
        let mut theirs = theirs::ListGroupsRequest::default();
        if version >= 4 {
            theirs.states_filter = self.states_filter.to_oracle(version);
        }
        if version >= 5 {
            theirs.types_filter = self.types_filter.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
