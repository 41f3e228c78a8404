// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListTransactionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_transactions_request as theirs;
use precursor_protocol::messages::list_transactions_request as ours;

impl ToOracle<theirs::ListTransactionsRequest> for ours::ListTransactionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::ListTransactionsRequest {
        let mut theirs = theirs::ListTransactionsRequest::default();
        theirs.state_filters = self.state_filters.to_oracle(version);
        theirs.producer_id_filters = self.producer_id_filters.to_oracle(version);
        if version >= 1 {
            theirs.duration_filter = self.duration_filter.to_oracle(version);
        }
        if version >= 2 {
            theirs.transactional_id_pattern = self.transactional_id_pattern.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
