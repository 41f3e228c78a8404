// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetCommitResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_commit_response as theirs;
use precursor_protocol::messages::offset_commit_response as ours;

impl ToOracle<theirs::OffsetCommitResponse> for ours::OffsetCommitResponse {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitResponse {
        let mut theirs = theirs::OffsetCommitResponse::default();
        if version >= 3 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetCommitResponseTopic> for ours::OffsetCommitResponseTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitResponseTopic {
        let mut theirs = theirs::OffsetCommitResponseTopic::default();
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

impl ToOracle<theirs::OffsetCommitResponsePartition> for ours::OffsetCommitResponsePartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitResponsePartition {
        let mut theirs = theirs::OffsetCommitResponsePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
