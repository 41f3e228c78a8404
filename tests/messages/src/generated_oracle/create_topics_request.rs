// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateTopicsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_topics_request as theirs;
use precursor_protocol::messages::create_topics_request as ours;

impl ToOracle<theirs::CreateTopicsRequest> for ours::CreateTopicsRequest {
    fn to_oracle(&self, version: i16) -> theirs::CreateTopicsRequest {
        let mut theirs = theirs::CreateTopicsRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.validate_only = self.validate_only.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatableTopic> for ours::CreatableTopic {
    fn to_oracle(&self, version: i16) -> theirs::CreatableTopic {
        let mut theirs = theirs::CreatableTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.num_partitions = self.num_partitions.to_oracle(version);
        theirs.replication_factor = self.replication_factor.to_oracle(version);
        theirs.assignments = self.assignments.to_oracle(version);
        theirs.configs = self.configs.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatableReplicaAssignment> for ours::CreatableReplicaAssignment {
    fn to_oracle(&self, version: i16) -> theirs::CreatableReplicaAssignment {
        let mut theirs = theirs::CreatableReplicaAssignment::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.broker_ids = self.broker_ids.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatableTopicConfig> for ours::CreatableTopicConfig {
    fn to_oracle(&self, version: i16) -> theirs::CreatableTopicConfig {
        let mut theirs = theirs::CreatableTopicConfig::default();
        theirs.name = self.name.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
