// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListTransactionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_transactions_response as theirs;
use precursor_protocol::messages::list_transactions_response as ours;

impl ToOracle<theirs::ListTransactionsResponse> for ours::ListTransactionsResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListTransactionsResponse {
        let mut theirs = theirs::ListTransactionsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_state_filters = self.unknown_state_filters.to_oracle(version);
        theirs.transaction_states = self.transaction_states.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TransactionState> for ours::TransactionState {
    fn to_oracle(&self, version: i16) -> theirs::TransactionState {
        let mut theirs = theirs::TransactionState::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.transaction_state = self.transaction_state.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
