// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! GetTelemetrySubscriptionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::get_telemetry_subscriptions_request as theirs;
use precursor_protocol::messages::get_telemetry_subscriptions_request as ours;

impl ToOracle<theirs::GetTelemetrySubscriptionsRequest> for ours::GetTelemetrySubscriptionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::GetTelemetrySubscriptionsRequest {
        let mut theirs = theirs::GetTelemetrySubscriptionsRequest::default();
        theirs.client_instance_id = self.client_instance_id.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
