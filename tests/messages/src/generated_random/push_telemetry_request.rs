// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random PushTelemetryRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::push_telemetry_request::*;

impl Random for PushTelemetryRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let client_instance_id = s.uuid();
        let subscription_id = s.int32();
        let terminating = s.bool();
        let compression_type = s.int8();
        let metrics = s.bytes();
        let unknown_tagged_fields = s.tags(true, 0);
        PushTelemetryRequest {
            client_instance_id,
            subscription_id,
            terminating,
            compression_type,
            metrics,
            unknown_tagged_fields,
        }
    }
}
