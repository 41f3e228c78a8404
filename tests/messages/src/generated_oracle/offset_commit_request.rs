// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetCommitRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_commit_request as theirs;
use precursor_protocol::messages::offset_commit_request as ours;

impl ToOracle<theirs::OffsetCommitRequest> for ours::OffsetCommitRequest {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitRequest {
        let mut theirs = theirs::OffsetCommitRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.generation_id_or_member_epoch =
            self.generation_id_or_member_epoch.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        if version >= 7 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        if version <= 4 {
            theirs.retention_time_ms = self.retention_time_ms.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetCommitRequestTopic> for ours::OffsetCommitRequestTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitRequestTopic {
        let mut theirs = theirs::OffsetCommitRequestTopic::default();
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

impl ToOracle<theirs::OffsetCommitRequestPartition> for ours::OffsetCommitRequestPartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetCommitRequestPartition {
        let mut theirs = theirs::OffsetCommitRequestPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.committed_offset = self.committed_offset.to_oracle(version);
        if version >= 6 {
            theirs.committed_leader_epoch = self.committed_leader_epoch.to_oracle(version);
        }
        theirs.committed_metadata = self.committed_metadata.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
