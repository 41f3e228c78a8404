// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! TxnOffsetCommitRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::txn_offset_commit_request as theirs;
use precursor_protocol::messages::txn_offset_commit_request as ours;

impl ToOracle<theirs::TxnOffsetCommitRequest> for ours::TxnOffsetCommitRequest {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitRequest {
        let mut theirs = theirs::TxnOffsetCommitRequest::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        if version >= 3 {
            theirs.generation_id = self.generation_id_or_member_epoch.to_oracle(version);
        }
        if version >= 3 {
            theirs.member_id = self.member_id.to_oracle(version);
        }
        if version >= 3 {
            theirs.group_instance_id = self.group_instance_id.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TxnOffsetCommitRequestTopic> for ours::TxnOffsetCommitRequestTopic {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitRequestTopic {
        let mut theirs = theirs::TxnOffsetCommitRequestTopic::default();
        if version <= 5 {
            theirs.name = self.name.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TxnOffsetCommitRequestPartition> for ours::TxnOffsetCommitRequestPartition {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitRequestPartition {
        let mut theirs = theirs::TxnOffsetCommitRequestPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.committed_offset = self.committed_offset.to_oracle(version);
        if version >= 2 {
            theirs.committed_leader_epoch = self.committed_leader_epoch.to_oracle(version);
        }
        theirs.committed_metadata = self.committed_metadata.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
