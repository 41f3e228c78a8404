// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetForLeaderEpochRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_for_leader_epoch_request as theirs;
use precursor_protocol::messages::offset_for_leader_epoch_request as ours;

impl ToOracle<theirs::OffsetForLeaderEpochRequest> for ours::OffsetForLeaderEpochRequest {
    fn to_oracle(&self, version: i16) -> theirs::OffsetForLeaderEpochRequest {
        let mut theirs = theirs::OffsetForLeaderEpochRequest::default();
        if version >= 3 {
            theirs.replica_id = self.replica_id.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetForLeaderTopic> for ours::OffsetForLeaderTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetForLeaderTopic {
        let mut theirs = theirs::OffsetForLeaderTopic::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetForLeaderPartition> for ours::OffsetForLeaderPartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetForLeaderPartition {
        let mut theirs = theirs::OffsetForLeaderPartition::default();
        theirs.partition = self.partition.to_oracle(version);
        theirs.current_leader_epoch = self.current_leader_epoch.to_oracle(version);
        theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
