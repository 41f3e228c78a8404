// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AddOffsetsToTxnRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::add_offsets_to_txn_request::*;

impl Random for AddOffsetsToTxnRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.string();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let group_id = s.string();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddOffsetsToTxnRequest {
            transactional_id,
            producer_id,
            producer_epoch,
            group_id,
            unknown_tagged_fields,
        }
    }
}
