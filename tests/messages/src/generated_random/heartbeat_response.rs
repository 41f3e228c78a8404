// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random HeartbeatResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::heartbeat_response::*;

impl Random for HeartbeatResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        HeartbeatResponse {
            throttle_time_ms,
            error_code,
            unknown_tagged_fields,
        }
    }
}
