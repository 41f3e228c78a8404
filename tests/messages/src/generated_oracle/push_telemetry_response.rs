// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! PushTelemetryResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::push_telemetry_response as theirs;
use precursor_protocol::messages::push_telemetry_response as ours;

impl ToOracle<theirs::PushTelemetryResponse> for ours::PushTelemetryResponse {
    fn to_oracle(&self, version: i16) -> theirs::PushTelemetryResponse {
        let mut theirs = theirs::PushTelemetryResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
