// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeProducersResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_producers_response as theirs;
use precursor_protocol::messages::describe_producers_response as ours;

impl ToOracle<theirs::DescribeProducersResponse> for ours::DescribeProducersResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeProducersResponse {
        let mut theirs = theirs::DescribeProducersResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicResponse> for ours::TopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::TopicResponse {
        let mut theirs = theirs::TopicResponse::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::PartitionResponse> for ours::PartitionResponse {
    fn to_oracle(&self, version: i16) -> theirs::PartitionResponse {
        let mut theirs = theirs::PartitionResponse::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.active_producers = self.active_producers.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ProducerState> for ours::ProducerState {
    fn to_oracle(&self, version: i16) -> theirs::ProducerState {
        let mut theirs = theirs::ProducerState::default();
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        theirs.last_sequence = self.last_sequence.to_oracle(version);
        theirs.last_timestamp = self.last_timestamp.to_oracle(version);
        theirs.coordinator_epoch = self.coordinator_epoch.to_oracle(version);
        theirs.current_txn_start_offset = self.current_txn_start_offset.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
