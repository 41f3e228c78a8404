// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetForLeaderEpochResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_for_leader_epoch_response as theirs;
use precursor_protocol::messages::offset_for_leader_epoch_response as ours;

impl ToOracle<theirs::OffsetForLeaderEpochResponse> for ours::OffsetForLeaderEpochResponse {
    fn to_oracle(&self, version: i16) -> theirs::OffsetForLeaderEpochResponse {
        let mut theirs = theirs::OffsetForLeaderEpochResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetForLeaderTopicResult> for ours::OffsetForLeaderTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::OffsetForLeaderTopicResult {
        let mut theirs = theirs::OffsetForLeaderTopicResult::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::EpochEndOffset> for ours::EpochEndOffset {
    fn to_oracle(&self, version: i16) -> theirs::EpochEndOffset {
        let mut theirs = theirs::EpochEndOffset::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.partition = self.partition.to_oracle(version);
        theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        theirs.end_offset = self.end_offset.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
