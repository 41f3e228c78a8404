// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListTransactionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_transactions_response::*;

impl Random for ListTransactionsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let unknown_state_filters = s.array(|s| s.string());
        let transaction_states = s.array(|s| TransactionState::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ListTransactionsResponse {
            throttle_time_ms,
            error_code,
            unknown_state_filters,
            transaction_states,
            unknown_tagged_fields,
        }
    }
}

impl Random for TransactionState {
    fn random(s: &mut Source, _version: i16) -> Self {
        let transactional_id = s.string();
        let producer_id = s.int64();
        let transaction_state = s.string();
        let unknown_tagged_fields = s.tags(true, 0);
        TransactionState {
            transactional_id,
            producer_id,
            transaction_state,
            unknown_tagged_fields,
        }
    }
}
