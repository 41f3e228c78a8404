// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random EndTxnRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::end_txn_request::*;

impl Random for EndTxnRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.string();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let committed = s.bool();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        EndTxnRequest {
            transactional_id,
            producer_id,
            producer_epoch,
            committed,
            unknown_tagged_fields,
        }
    }
}
