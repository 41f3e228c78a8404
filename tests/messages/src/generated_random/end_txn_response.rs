// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random EndTxnResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::end_txn_response::*;

impl Random for EndTxnResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let producer_id = if version >= 5 { s.int64() } else { -1 };
        let producer_epoch = if version >= 5 { s.int16() } else { -1 };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        EndTxnResponse {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
            unknown_tagged_fields,
        }
    }
}
