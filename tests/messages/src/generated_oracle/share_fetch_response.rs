// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareFetchResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_fetch_response as theirs;
use precursor_protocol::messages::share_fetch_response as ours;

impl ToOracle<theirs::ShareFetchResponse> for ours::ShareFetchResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareFetchResponse {
        let mut theirs = theirs::ShareFetchResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.acquisition_lock_timeout_ms = self.acquisition_lock_timeout_ms.to_oracle(version);
        theirs.responses = self.responses.to_oracle(version);
        theirs.node_endpoints = self.node_endpoints.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ShareFetchableTopicResponse> for ours::ShareFetchableTopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareFetchableTopicResponse {
        let mut theirs = theirs::ShareFetchableTopicResponse::default();
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
        theirs.acknowledge_error_code = self.acknowledge_error_code.to_oracle(version);
        theirs.acknowledge_error_message = self.acknowledge_error_message.to_oracle(version);
        theirs.current_leader = self.current_leader.to_oracle(version);
        theirs.records = self.records.to_oracle(version);
        theirs.acquired_records = self.acquired_records.to_oracle(version);
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

impl ToOracle<theirs::AcquiredRecords> for ours::AcquiredRecords {
    fn to_oracle(&self, version: i16) -> theirs::AcquiredRecords {
        let mut theirs = theirs::AcquiredRecords::default();
        theirs.first_offset = self.first_offset.to_oracle(version);
        theirs.last_offset = self.last_offset.to_oracle(version);
        theirs.delivery_count = self.delivery_count.to_oracle(version);
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
