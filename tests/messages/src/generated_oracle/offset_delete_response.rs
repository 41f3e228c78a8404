// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetDeleteResponse as the oracle has it.

use crate::oracle::ToOracle;
use kafka_protocol::messages::offset_delete_response as theirs;
use precursor_protocol::messages::offset_delete_response as ours;

impl ToOracle<theirs::OffsetDeleteResponse> for ours::OffsetDeleteResponse {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteResponse {
        let mut theirs = theirs::OffsetDeleteResponse::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs
    }
}

impl ToOracle<theirs::OffsetDeleteResponseTopic> for ours::OffsetDeleteResponseTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteResponseTopic {
        let mut theirs = theirs::OffsetDeleteResponseTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs
    }
}

impl ToOracle<theirs::OffsetDeleteResponsePartition> for ours::OffsetDeleteResponsePartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteResponsePartition {
        let mut theirs = theirs::OffsetDeleteResponsePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs
    }
}
