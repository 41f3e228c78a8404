// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateTopicsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_topics_response as theirs;
use precursor_protocol::messages::create_topics_response as ours;

impl ToOracle<theirs::CreateTopicsResponse> for ours::CreateTopicsResponse {
    fn to_oracle(&self, version: i16) -> theirs::CreateTopicsResponse {
        let mut theirs = theirs::CreateTopicsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatableTopicResult> for ours::CreatableTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::CreatableTopicResult {
        let mut theirs = theirs::CreatableTopicResult::default();
        theirs.name = self.name.to_oracle(version);
        if version >= 7 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        if version >= 5 {
            theirs.topic_config_error_code = self.topic_config_error_code.to_oracle(version);
        }
        if version >= 5 {
            theirs.num_partitions = self.num_partitions.to_oracle(version);
        }
        if version >= 5 {
            theirs.replication_factor = self.replication_factor.to_oracle(version);
        }
        if version >= 5 {
            theirs.configs = self.configs.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatableTopicConfigs> for ours::CreatableTopicConfigs {
    fn to_oracle(&self, version: i16) -> theirs::CreatableTopicConfigs {
        let mut theirs = theirs::CreatableTopicConfigs::default();
        theirs.name = self.name.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.read_only = self.read_only.to_oracle(version);
        theirs.config_source = self.config_source.to_oracle(version);
        theirs.is_sensitive = self.is_sensitive.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
