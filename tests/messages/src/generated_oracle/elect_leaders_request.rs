// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ElectLeadersRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::elect_leaders_request as theirs;
use precursor_protocol::messages::elect_leaders_request as ours;

impl ToOracle<theirs::ElectLeadersRequest> for ours::ElectLeadersRequest {
    fn to_oracle(&self, version: i16) -> theirs::ElectLeadersRequest {
        let mut theirs = theirs::ElectLeadersRequest::default();
        if version >= 1 {
            theirs.election_type = self.election_type.to_oracle(version);
        }
        theirs.topic_partitions = self.topic_partitions.to_oracle(version);
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicPartitions> for ours::TopicPartitions {
    fn to_oracle(&self, version: i16) -> theirs::TopicPartitions {
        let mut theirs = theirs::TopicPartitions::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
