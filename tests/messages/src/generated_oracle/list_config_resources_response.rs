// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListConfigResourcesResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_config_resources_response as theirs;
use precursor_protocol::messages::list_config_resources_response as ours;

impl ToOracle<theirs::ListConfigResourcesResponse> for ours::ListConfigResourcesResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListConfigResourcesResponse {
        let mut theirs = theirs::ListConfigResourcesResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.config_resources = self.config_resources.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ConfigResource> for ours::ConfigResource {
    fn to_oracle(&self, version: i16) -> theirs::ConfigResource {
        let mut theirs = theirs::ConfigResource::default();
        theirs.resource_name = self.resource_name.to_oracle(version);
        if version >= 1 {
            theirs.resource_type = self.resource_type.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
