// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeTransactionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_transactions_request::*;

impl Random for DescribeTransactionsRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let transactional_ids = s.array(|s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTransactionsRequest {
            transactional_ids,
            unknown_tagged_fields,
        }
    }
}
