// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SyncGroupResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::sync_group_response::*;

impl Random for SyncGroupResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let error_code = s.int16();
        let protocol_type = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let protocol_name = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let assignment = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        SyncGroupResponse {
            throttle_time_ms,
            error_code,
            protocol_type,
            protocol_name,
            assignment,
            unknown_tagged_fields,
        }
    }
}
