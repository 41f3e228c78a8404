// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTransactionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_transactions_request as theirs;
use precursor_protocol::messages::describe_transactions_request as ours;

impl ToOracle<theirs::DescribeTransactionsRequest> for ours::DescribeTransactionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeTransactionsRequest {
        let mut theirs = theirs::DescribeTransactionsRequest::default();
        theirs.transactional_ids = self.transactional_ids.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
