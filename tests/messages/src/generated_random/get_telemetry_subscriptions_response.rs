// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random GetTelemetrySubscriptionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::get_telemetry_subscriptions_response::*;

impl Random for GetTelemetrySubscriptionsResponse {
    fn random(s: &mut Source, _version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let client_instance_id = s.uuid();
        let subscription_id = s.int32();
        let accepted_compression_types = s.array(|s| s.int8());
        let push_interval_ms = s.int32();
        let telemetry_max_bytes = s.int32();
        let delta_temporality = s.bool();
        let requested_metrics = s.array(|s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        GetTelemetrySubscriptionsResponse {
            throttle_time_ms,
            error_code,
            client_instance_id,
            subscription_id,
            accepted_compression_types,
            push_interval_ms,
            telemetry_max_bytes,
            delta_temporality,
            requested_metrics,
            unknown_tagged_fields,
        }
    }
}
