// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random InitProducerIdResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::init_producer_id_response::*;

impl Random for InitProducerIdResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let ongoing_txn_producer_id = if version >= 6 { s.int64() } else { -1 };
        let ongoing_txn_producer_epoch = if version >= 6 { s.int16() } else { -1 };
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        InitProducerIdResponse {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
            ongoing_txn_producer_id,
            ongoing_txn_producer_epoch,
            unknown_tagged_fields,
        }
    }
}
