// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! InitProducerIdResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::init_producer_id_response as theirs;
use precursor_protocol::messages::init_producer_id_response as ours;

impl ToOracle<theirs::InitProducerIdResponse> for ours::InitProducerIdResponse {
    fn to_oracle(&self, version: i16) -> theirs::InitProducerIdResponse {
        let mut theirs = theirs::InitProducerIdResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        if version >= 6 {
            theirs.ongoing_txn_producer_id = self.ongoing_txn_producer_id.to_oracle(version);
        }
        if version >= 6 {
            theirs.ongoing_txn_producer_epoch = self.ongoing_txn_producer_epoch.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
