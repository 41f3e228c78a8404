// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! EndTxnRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::end_txn_request as theirs;
use precursor_protocol::messages::end_txn_request as ours;

impl ToOracle<theirs::EndTxnRequest> for ours::EndTxnRequest {
    fn to_oracle(&self, version: i16) -> theirs::EndTxnRequest {
        let mut theirs = theirs::EndTxnRequest::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        theirs.committed = self.committed.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
