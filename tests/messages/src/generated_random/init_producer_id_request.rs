// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random InitProducerIdRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::init_producer_id_request::*;

impl Random for InitProducerIdRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.option(true, |s| s.string());
        let transaction_timeout_ms = s.int32();
        let producer_id = if version >= 3 { s.int64() } else { -1 };
        let producer_epoch = if version >= 3 { s.int16() } else { -1 };
        let enable2_pc = if version >= 6 { s.bool() } else { false };
        let keep_prepared_txn = if version >= 6 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        InitProducerIdRequest {
            transactional_id,
            transaction_timeout_ms,
            producer_id,
            producer_epoch,
            enable2_pc,
            keep_prepared_txn,
            unknown_tagged_fields,
        }
    }
}
