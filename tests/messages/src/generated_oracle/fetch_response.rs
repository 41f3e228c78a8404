// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FetchResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::fetch_response as theirs;
use precursor_protocol::messages::fetch_response as ours;

impl ToOracle<theirs::FetchResponse> for ours::FetchResponse {
    fn to_oracle(&self, version: i16) -> theirs::FetchResponse {
        let mut theirs = theirs::FetchResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 7 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        if version >= 7 {
            theirs.session_id = self.session_id.to_oracle(version);
        }
        theirs.responses = self.responses.to_oracle(version);
        if version >= 16 {
            theirs.node_endpoints = self.node_endpoints.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FetchableTopicResponse> for ours::FetchableTopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::FetchableTopicResponse {
        let mut theirs = theirs::FetchableTopicResponse::default();
        if version <= 12 {
            theirs.topic = self.topic.to_oracle(version);
        }
        if version >= 13 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
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
        theirs.high_watermark = self.high_watermark.to_oracle(version);
        theirs.last_stable_offset = self.last_stable_offset.to_oracle(version);
        if version >= 5 {
            theirs.log_start_offset = self.log_start_offset.to_oracle(version);
        }
        if version >= 12 {
            theirs.diverging_epoch = self.diverging_epoch.to_oracle(version);
        }
        if version >= 12 {
            theirs.current_leader = self.current_leader.to_oracle(version);
        }
        if version >= 12 {
            theirs.snapshot_id = self.snapshot_id.to_oracle(version);
        }
        theirs.aborted_transactions = self.aborted_transactions.to_oracle(version);
        if version >= 11 {
            theirs.preferred_read_replica = self.preferred_read_replica.to_oracle(version);
        }
        theirs.records = self.records.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::EpochEndOffset> for ours::EpochEndOffset {
    fn to_oracle(&self, version: i16) -> theirs::EpochEndOffset {
        let mut theirs = theirs::EpochEndOffset::default();
        theirs.epoch = self.epoch.to_oracle(version);
        theirs.end_offset = self.end_offset.to_oracle(version);
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

impl ToOracle<theirs::SnapshotId> for ours::SnapshotId {
    fn to_oracle(&self, version: i16) -> theirs::SnapshotId {
        let mut theirs = theirs::SnapshotId::default();
        theirs.end_offset = self.end_offset.to_oracle(version);
        theirs.epoch = self.epoch.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AbortedTransaction> for ours::AbortedTransaction {
    fn to_oracle(&self, version: i16) -> theirs::AbortedTransaction {
        let mut theirs = theirs::AbortedTransaction::default();
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.first_offset = self.first_offset.to_oracle(version);
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
