// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeGroupsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_groups_request as theirs;
use precursor_protocol::messages::describe_groups_request as ours;

impl ToOracle<theirs::DescribeGroupsRequest> for ours::DescribeGroupsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeGroupsRequest {
        let mut theirs = theirs::DescribeGroupsRequest::default();
        theirs.groups = self.groups.to_oracle(version);
        if version >= 3 {
            theirs.include_authorized_operations =
                self.include_authorized_operations.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
