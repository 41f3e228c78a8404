// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupDescribeRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_group_describe_request as theirs;
use precursor_protocol::messages::share_group_describe_request as ours;

impl ToOracle<theirs::ShareGroupDescribeRequest> for ours::ShareGroupDescribeRequest {
    fn to_oracle(&self, version: i16) -> theirs::ShareGroupDescribeRequest {
        let mut theirs = theirs::ShareGroupDescribeRequest::default();
        theirs.group_ids = self.group_ids.to_oracle(version);
        theirs.include_authorized_operations =
            self.include_authorized_operations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
