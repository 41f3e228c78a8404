// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteRecordsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_records_request as theirs;
use precursor_protocol::messages::delete_records_request as ours;

impl ToOracle<theirs::DeleteRecordsRequest> for ours::DeleteRecordsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsRequest {
        let mut theirs = theirs::DeleteRecordsRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteRecordsTopic> for ours::DeleteRecordsTopic {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsTopic {
        let mut theirs = theirs::DeleteRecordsTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteRecordsPartition> for ours::DeleteRecordsPartition {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsPartition {
        let mut theirs = theirs::DeleteRecordsPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.offset = self.offset.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
