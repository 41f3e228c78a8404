// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! MetadataRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::metadata_request as theirs;
use precursor_protocol::messages::metadata_request as ours;

impl ToOracle<theirs::MetadataRequest> for ours::MetadataRequest {
    fn to_oracle(&self, version: i16) -> theirs::MetadataRequest {
        let mut theirs = theirs::MetadataRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        if version >= 4 {
            theirs.allow_auto_topic_creation = self.allow_auto_topic_creation.to_oracle(version);
        }
        if (8..=10).contains(&version) {
            theirs.include_cluster_authorized_operations = self
                .include_cluster_authorized_operations
                .to_oracle(version);
        }
        if version >= 8 {
            theirs.include_topic_authorized_operations =
                self.include_topic_authorized_operations.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MetadataRequestTopic> for ours::MetadataRequestTopic {
    fn to_oracle(&self, version: i16) -> theirs::MetadataRequestTopic {
        let mut theirs = theirs::MetadataRequestTopic::default();
        if version >= 10 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.name = self.name.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
