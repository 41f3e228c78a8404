// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! InitProducerIdRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::init_producer_id_request as theirs;
use precursor_protocol::messages::init_producer_id_request as ours;

impl ToOracle<theirs::InitProducerIdRequest> for ours::InitProducerIdRequest {
    fn to_oracle(&self, version: i16) -> theirs::InitProducerIdRequest {
        let mut theirs = theirs::InitProducerIdRequest::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.transaction_timeout_ms = self.transaction_timeout_ms.to_oracle(version);
        if version >= 3 {
            theirs.producer_id = self.producer_id.to_oracle(version);
        }
        if version >= 3 {
            theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        }
        if version >= 6 {
            theirs.enable_2_pc = self.enable2_pc.to_oracle(version);
        }
        if version >= 6 {
            theirs.keep_prepared_txn = self.keep_prepared_txn.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
