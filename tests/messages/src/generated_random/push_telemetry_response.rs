// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random PushTelemetryResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::push_telemetry_response::*;

impl Random for PushTelemetryResponse {
    fn random(s: &mut Source, _version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        PushTelemetryResponse {
            throttle_time_ms,
            error_code,
            unknown_tagged_fields,
        }
    }
}
