// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! GetTelemetrySubscriptionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::get_telemetry_subscriptions_response as theirs;
use precursor_protocol::messages::get_telemetry_subscriptions_response as ours;

impl ToOracle<theirs::GetTelemetrySubscriptionsResponse>
    for ours::GetTelemetrySubscriptionsResponse
{
    fn to_oracle(&self, version: i16) -> theirs::GetTelemetrySubscriptionsResponse {
        let mut theirs = theirs::GetTelemetrySubscriptionsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.client_instance_id = self.client_instance_id.to_oracle(version);
        theirs.subscription_id = self.subscription_id.to_oracle(version);
        theirs.accepted_compression_types = self.accepted_compression_types.to_oracle(version);
        theirs.push_interval_ms = self.push_interval_ms.to_oracle(version);
        theirs.telemetry_max_bytes = self.telemetry_max_bytes.to_oracle(version);
        theirs.delta_temporality = self.delta_temporality.to_oracle(version);
        theirs.requested_metrics = self.requested_metrics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
