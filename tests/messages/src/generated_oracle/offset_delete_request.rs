// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetDeleteRequest as the oracle has it.

use crate::oracle::ToOracle;
use kafka_protocol::messages::offset_delete_request as theirs;
use precursor_protocol::messages::offset_delete_request as ours;

impl ToOracle<theirs::OffsetDeleteRequest> for ours::OffsetDeleteRequest {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteRequest {
        let mut theirs = theirs::OffsetDeleteRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs
    }
}

impl ToOracle<theirs::OffsetDeleteRequestTopic> for ours::OffsetDeleteRequestTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteRequestTopic {
        let mut theirs = theirs::OffsetDeleteRequestTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs
    }
}

impl ToOracle<theirs::OffsetDeleteRequestPartition> for ours::OffsetDeleteRequestPartition {
    fn to_oracle(&self, version: i16) -> theirs::OffsetDeleteRequestPartition {
        let mut theirs = theirs::OffsetDeleteRequestPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs
    }
}
