// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AddOffsetsToTxnResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::add_offsets_to_txn_response::*;

impl Random for AddOffsetsToTxnResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddOffsetsToTxnResponse {
            throttle_time_ms,
            error_code,
            unknown_tagged_fields,
        }
    }
}
