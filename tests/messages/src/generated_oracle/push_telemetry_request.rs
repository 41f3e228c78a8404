// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! PushTelemetryRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::push_telemetry_request as theirs;
use precursor_protocol::messages::push_telemetry_request as ours;

impl ToOracle<theirs::PushTelemetryRequest> for ours::PushTelemetryRequest {
    fn to_oracle(&self, version: i16) -> theirs::PushTelemetryRequest {
        let mut theirs = theirs::PushTelemetryRequest::default();
        theirs.client_instance_id = self.client_instance_id.to_oracle(version);
        theirs.subscription_id = self.subscription_id.to_oracle(version);
        theirs.terminating = self.terminating.to_oracle(version);
        theirs.compression_type = self.compression_type.to_oracle(version);
        theirs.metrics = self.metrics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
