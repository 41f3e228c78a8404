// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeConfigsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_configs_response as theirs;
use precursor_protocol::messages::describe_configs_response as ours;

impl ToOracle<theirs::DescribeConfigsResponse> for ours::DescribeConfigsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsResponse {
        let mut theirs = theirs::DescribeConfigsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeConfigsResult> for ours::DescribeConfigsResult {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsResult {
        let mut theirs = theirs::DescribeConfigsResult::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.configs = self.configs.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeConfigsResourceResult> for ours::DescribeConfigsResourceResult {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsResourceResult {
        let mut theirs = theirs::DescribeConfigsResourceResult::default();
        theirs.name = self.name.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.read_only = self.read_only.to_oracle(version);
        theirs.config_source = self.config_source.to_oracle(version);
        theirs.is_sensitive = self.is_sensitive.to_oracle(version);
        theirs.synonyms = self.synonyms.to_oracle(version);
        if version >= 3 {
            theirs.config_type = self.config_type.to_oracle(version);
        }
        if version >= 3 {
            theirs.documentation = self.documentation.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeConfigsSynonym> for ours::DescribeConfigsSynonym {
    fn to_oracle(&self, version: i16) -> theirs::DescribeConfigsSynonym {
        let mut theirs = theirs::DescribeConfigsSynonym::default();
        theirs.name = self.name.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.source = self.source.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
