// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeConfigsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_configs_request as theirs;
use precursor_protocol::messages::describe_configs_request as ours;

impl ToOracle<theirs::DescribeConfigsRequest> for ours::DescribeConfigsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsRequest {
        let mut theirs = theirs::DescribeConfigsRequest::default();
        theirs.resources = self.resources.to_oracle(version);
        theirs.include_synonyms = self.include_synonyms.to_oracle(version);
        if version >= 3 {
            theirs.include_documentation = self.include_documentation.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeConfigsResource> for ours::DescribeConfigsResource {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsResource {
        let mut theirs = theirs::DescribeConfigsResource::default();
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.configuration_keys = self.configuration_keys.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
