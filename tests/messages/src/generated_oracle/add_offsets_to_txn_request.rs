// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddOffsetsToTxnRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::add_offsets_to_txn_request as theirs;
use precursor_protocol::messages::add_offsets_to_txn_request as ours;

impl ToOracle<theirs::AddOffsetsToTxnRequest> for ours::AddOffsetsToTxnRequest {
    fn to_oracle(&self, version: i16) -> theirs::AddOffsetsToTxnRequest {
        let mut theirs = theirs::AddOffsetsToTxnRequest::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
