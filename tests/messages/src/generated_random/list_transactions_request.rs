// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListTransactionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_transactions_request::*;

impl Random for ListTransactionsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let state_filters = s.array(|s| s.string());
        let producer_id_filters = s.array(|s| s.int64());
        let duration_filter = if version >= 1 { s.int64() } else { -1 };
        let transactional_id_pattern = if version >= 2 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(true, 0);
        ListTransactionsRequest {
            state_filters,
            producer_id_filters,
            duration_filter,
            transactional_id_pattern,
            unknown_tagged_fields,
        }
    }
}
