// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random GetTelemetrySubscriptionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::get_telemetry_subscriptions_request::*;

impl Random for GetTelemetrySubscriptionsRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let client_instance_id = s.uuid();
        let unknown_tagged_fields = s.tags(true, 0);
        GetTelemetrySubscriptionsRequest {
            client_instance_id,
            unknown_tagged_fields,
        }
    }
}
