// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareAcknowledgeResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_acknowledge_response as theirs;
use precursor_protocol::messages::share_acknowledge_response as ours;

impl ToOracle<theirs::ShareAcknowledgeResponse> for ours::ShareAcknowledgeResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareAcknowledgeResponse {
        let mut theirs = theirs::ShareAcknowledgeResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.responses = self.responses.to_oracle(version);
        theirs.node_endpoints = self.node_endpoints.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ShareAcknowledgeTopicResponse> for ours::ShareAcknowledgeTopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareAcknowledgeTopicResponse {
        let mut theirs = theirs::ShareAcknowledgeTopicResponse::default();
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::PartitionData> for ours::PartitionData {
    fn to_oracle(&self, version: i16) -> theirs::PartitionData {
        let mut theirs = theirs::PartitionData::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.current_leader = self.current_leader.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::LeaderIdAndEpoch> for ours::LeaderIdAndEpoch {
    fn to_oracle(&self, version: i16) -> theirs::LeaderIdAndEpoch {
        let mut theirs = theirs::LeaderIdAndEpoch::default();
        theirs.leader_id = self.leader_id.to_oracle(version);
        theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::NodeEndpoint> for ours::NodeEndpoint {
    fn to_oracle(&self, version: i16) -> theirs::NodeEndpoint {
        let mut theirs = theirs::NodeEndpoint::default();
        theirs.node_id = self.node_id.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.port = self.port.to_oracle(version);
        theirs.rack = self.rack.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
