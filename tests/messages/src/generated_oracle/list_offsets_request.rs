// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListOffsetsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_offsets_request as theirs;
use precursor_protocol::messages::list_offsets_request as ours;

impl ToOracle<theirs::ListOffsetsRequest> for ours::ListOffsetsRequest {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsRequest {
        let mut theirs = theirs::ListOffsetsRequest::default();
        theirs.replica_id = self.replica_id.to_oracle(version);
        if version >= 2 {
            theirs.isolation_level = self.isolation_level.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        if version >= 10 {
            theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListOffsetsTopic> for ours::ListOffsetsTopic {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsTopic {
        let mut theirs = theirs::ListOffsetsTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ListOffsetsPartition> for ours::ListOffsetsPartition {
    fn to_oracle(&self, version: i16) -> theirs::ListOffsetsPartition {
        let mut theirs = theirs::ListOffsetsPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        if version >= 4 {
            theirs.current_leader_epoch = self.current_leader_epoch.to_oracle(version);
        }
        theirs.timestamp = self.timestamp.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
