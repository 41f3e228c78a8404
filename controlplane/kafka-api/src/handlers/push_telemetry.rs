//! PushTelemetry, key 72, version 0 (KIP-714): a client's metrics, in OTLP.

use crate::api::Api;
use crate::telemetry::Reporter;
pub(crate) use precursor_protocol::messages::PushTelemetryRequest as Request;
use precursor_protocol::messages::PushTelemetryResponse;
use precursor_telemetry::Push;

pub(crate) async fn handle(
    api: &Api,
    reporter: Reporter,
    _version: i16,
    request: Request,
) -> PushTelemetryResponse {
    let push = Push {
        instance_id: request.client_instance_id,
        subscription_id: request.subscription_id,
        terminating: request.terminating,
        compression_type: request.compression_type,
        length: request.metrics.len(),
    };
    let pushed = api.push_telemetry(&reporter, push, request.metrics).await;
    PushTelemetryResponse {
        error_code: pushed.err().map_or(0, |error| error.code()),
        ..PushTelemetryResponse::default()
    }
}
