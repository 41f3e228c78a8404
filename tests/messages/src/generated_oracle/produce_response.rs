// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ProduceResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::produce_response as theirs;
use precursor_protocol::messages::produce_response as ours;

impl ToOracle<theirs::ProduceResponse> for ours::ProduceResponse {
    fn to_oracle(&self, version: i16) -> theirs::ProduceResponse {
        let mut theirs = theirs::ProduceResponse::default();
        theirs.responses = self.responses.to_oracle(version);
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 10 {
            theirs.node_endpoints = self.node_endpoints.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicProduceResponse> for ours::TopicProduceResponse {
    fn to_oracle(&self, version: i16) -> theirs::TopicProduceResponse {
        let mut theirs = theirs::TopicProduceResponse::default();
        if version <= 12 {
            theirs.name = self.name.to_oracle(version);
        }
        if version >= 13 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partition_responses = self.partition_responses.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::PartitionProduceResponse> for ours::PartitionProduceResponse {
    fn to_oracle(&self, version: i16) -> theirs::PartitionProduceResponse {
        let mut theirs = theirs::PartitionProduceResponse::default();
        theirs.index = self.index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.base_offset = self.base_offset.to_oracle(version);
        theirs.log_append_time_ms = self.log_append_time_ms.to_oracle(version);
        if version >= 5 {
            theirs.log_start_offset = self.log_start_offset.to_oracle(version);
        }
        if version >= 8 {
            theirs.record_errors = self.record_errors.to_oracle(version);
        }
        if version >= 8 {
            theirs.error_message = self.error_message.to_oracle(version);
        }
        if version >= 10 {
            theirs.current_leader = self.current_leader.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::BatchIndexAndErrorMessage> for ours::BatchIndexAndErrorMessage {
    fn to_oracle(&self, version: i16) -> theirs::BatchIndexAndErrorMessage {
        let mut theirs = theirs::BatchIndexAndErrorMessage::default();
        theirs.batch_index = self.batch_index.to_oracle(version);
        theirs.batch_index_error_message = self.batch_index_error_message.to_oracle(version);
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
