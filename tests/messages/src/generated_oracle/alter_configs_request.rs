// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterConfigsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_configs_request as theirs;
use precursor_protocol::messages::alter_configs_request as ours;

impl ToOracle<theirs::AlterConfigsRequest> for ours::AlterConfigsRequest {
    fn to_oracle(&self, version: i16) -> theirs::AlterConfigsRequest {
        let mut theirs = theirs::AlterConfigsRequest::default();
        theirs.resources = self.resources.to_oracle(version);
        theirs.validate_only = self.validate_only.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AlterConfigsResource> for ours::AlterConfigsResource {
    fn to_oracle(&self, version: i16) -> theirs::AlterConfigsResource {
        let mut theirs = theirs::AlterConfigsResource::default();
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.configs = self.configs.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AlterableConfig> for ours::AlterableConfig {
    fn to_oracle(&self, version: i16) -> theirs::AlterableConfig {
        let mut theirs = theirs::AlterableConfig::default();
        theirs.name = self.name.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
