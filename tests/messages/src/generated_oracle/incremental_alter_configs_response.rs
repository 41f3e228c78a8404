// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! IncrementalAlterConfigsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::incremental_alter_configs_response as theirs;
use precursor_protocol::messages::incremental_alter_configs_response as ours;

impl ToOracle<theirs::IncrementalAlterConfigsResponse> for ours::IncrementalAlterConfigsResponse {
    fn to_oracle(&self, version: i16) -> theirs::IncrementalAlterConfigsResponse {
        let mut theirs = theirs::IncrementalAlterConfigsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.responses = self.responses.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AlterConfigsResourceResponse> for ours::AlterConfigsResourceResponse {
    fn to_oracle(&self, version: i16) -> theirs::AlterConfigsResourceResponse {
        let mut theirs = theirs::AlterConfigsResourceResponse::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
