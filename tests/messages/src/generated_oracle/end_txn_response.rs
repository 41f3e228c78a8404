// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! EndTxnResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::end_txn_response as theirs;
use precursor_protocol::messages::end_txn_response as ours;

impl ToOracle<theirs::EndTxnResponse> for ours::EndTxnResponse {
    fn to_oracle(&self, version: i16) -> theirs::EndTxnResponse {
        let mut theirs = theirs::EndTxnResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        if version >= 5 {
            theirs.producer_id = self.producer_id.to_oracle(version);
        }
        if version >= 5 {
            theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
