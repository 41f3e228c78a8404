// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetFetchResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_fetch_response as theirs;
use precursor_protocol::messages::offset_fetch_response as ours;

impl ToOracle<theirs::OffsetFetchResponse> for ours::OffsetFetchResponse {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponse {
        let mut theirs = theirs::OffsetFetchResponse::default();
        if version >= 3 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        if version <= 7 {
            theirs.topics = self.topics.to_oracle(version);
        }
        if (2..=7).contains(&version) {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        if version >= 8 {
            theirs.groups = self.groups.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchResponseTopic> for ours::OffsetFetchResponseTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponseTopic {
        let mut theirs = theirs::OffsetFetchResponseTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchResponsePartition> for ours::OffsetFetchResponsePartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponsePartition {
        let mut theirs = theirs::OffsetFetchResponsePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.committed_offset = self.committed_offset.to_oracle(version);
        if version >= 5 {
            theirs.committed_leader_epoch = self.committed_leader_epoch.to_oracle(version);
        }
        theirs.metadata = self.metadata.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchResponseGroup> for ours::OffsetFetchResponseGroup {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponseGroup {
        let mut theirs = theirs::OffsetFetchResponseGroup::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchResponseTopics> for ours::OffsetFetchResponseTopics {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponseTopics {
        let mut theirs = theirs::OffsetFetchResponseTopics::default();
        if version <= 9 {
            theirs.name = self.name.to_oracle(version);
        }
        if version >= 10 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchResponsePartitions> for ours::OffsetFetchResponsePartitions {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchResponsePartitions {
        let mut theirs = theirs::OffsetFetchResponsePartitions::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.committed_offset = self.committed_offset.to_oracle(version);
        theirs.committed_leader_epoch = self.committed_leader_epoch.to_oracle(version);
        theirs.metadata = self.metadata.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
