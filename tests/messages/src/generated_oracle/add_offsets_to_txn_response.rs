// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddOffsetsToTxnResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::add_offsets_to_txn_response as theirs;
use precursor_protocol::messages::add_offsets_to_txn_response as ours;

impl ToOracle<theirs::AddOffsetsToTxnResponse> for ours::AddOffsetsToTxnResponse {
    fn to_oracle(&self, version: i16) -> theirs::AddOffsetsToTxnResponse {
        let mut theirs = theirs::AddOffsetsToTxnResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
