// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! TxnOffsetCommitResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::txn_offset_commit_response as theirs;
use precursor_protocol::messages::txn_offset_commit_response as ours;

impl ToOracle<theirs::TxnOffsetCommitResponse> for ours::TxnOffsetCommitResponse {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitResponse {
        let mut theirs = theirs::TxnOffsetCommitResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TxnOffsetCommitResponseTopic> for ours::TxnOffsetCommitResponseTopic {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitResponseTopic {
        let mut theirs = theirs::TxnOffsetCommitResponseTopic::default();
        if version <= 5 {
            theirs.name = self.name.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TxnOffsetCommitResponsePartition> for ours::TxnOffsetCommitResponsePartition {
    fn to_oracle(&self, version: i16) -> theirs::TxnOffsetCommitResponsePartition {
        let mut theirs = theirs::TxnOffsetCommitResponsePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
