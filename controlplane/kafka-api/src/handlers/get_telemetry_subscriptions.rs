//! GetTelemetrySubscriptions, key 71, version 0 (KIP-714): which metrics a client is to push.

use crate::api::Api;
use crate::telemetry::Reporter;
pub(crate) use precursor_protocol::messages::GetTelemetrySubscriptionsRequest as Request;
use precursor_protocol::messages::GetTelemetrySubscriptionsResponse;
use precursor_telemetry::ACCEPTED_CODECS;

pub(crate) async fn handle(
    api: &Api,
    reporter: Reporter,
    _version: i16,
    request: Request,
) -> GetTelemetrySubscriptionsResponse {
    match api.telemetry_subscription(&reporter, request.client_instance_id) {
        Ok(granted) => GetTelemetrySubscriptionsResponse {
            client_instance_id: granted.instance_id,
            subscription_id: granted.subscription_id,
            accepted_compression_types: ACCEPTED_CODECS.to_vec(),
            push_interval_ms: granted.push_interval_ms,
            // Never more than the option's bound.
            telemetry_max_bytes: api.node_config().telemetry_bytes_max as i32,
            delta_temporality: true,
            requested_metrics: granted.metrics,
            ..GetTelemetrySubscriptionsResponse::default()
        },
        Err(error) => GetTelemetrySubscriptionsResponse {
            error_code: error.code(),
            ..GetTelemetrySubscriptionsResponse::default()
        },
    }
}
