// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListOffsetsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_offsets_response as theirs;
use precursor_protocol::messages::list_offsets_response as ours;

impl ToOracle<theirs::ListOffsetsResponse> for ours::ListOffsetsResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsResponse {
        let mut theirs = theirs::ListOffsetsResponse::default();
        if version >= 2 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListOffsetsTopicResponse> for ours::ListOffsetsTopicResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsTopicResponse {
        let mut theirs = theirs::ListOffsetsTopicResponse::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListOffsetsPartitionResponse> for ours::ListOffsetsPartitionResponse {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsPartitionResponse {
        let mut theirs = theirs::ListOffsetsPartitionResponse::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.timestamp = self.timestamp.to_oracle(version);
        theirs.offset = self.offset.to_oracle(version);
        if version >= 4 {
            theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
