// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteRecordsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_records_response as theirs;
use precursor_protocol::messages::delete_records_response as ours;

impl ToOracle<theirs::DeleteRecordsResponse> for ours::DeleteRecordsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsResponse {
        let mut theirs = theirs::DeleteRecordsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteRecordsTopicResult> for ours::DeleteRecordsTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsTopicResult {
        let mut theirs = theirs::DeleteRecordsTopicResult::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteRecordsPartitionResult> for ours::DeleteRecordsPartitionResult {
    fn to_oracle(&self, version: i16) -> theirs::DeleteRecordsPartitionResult {
        let mut theirs = theirs::DeleteRecordsPartitionResult::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.low_watermark = self.low_watermark.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
