// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ConsumerGroupDescribeRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::consumer_group_describe_request as theirs;
use precursor_protocol::messages::consumer_group_describe_request as ours;

impl ToOracle<theirs::ConsumerGroupDescribeRequest> for ours::ConsumerGroupDescribeRequest {
    fn to_oracle(&self, version: i16) -> theirs::ConsumerGroupDescribeRequest {
        let mut theirs = theirs::ConsumerGroupDescribeRequest::default();
        theirs.group_ids = self.group_ids.to_oracle(version);
        theirs.include_authorized_operations =
            self.include_authorized_operations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
