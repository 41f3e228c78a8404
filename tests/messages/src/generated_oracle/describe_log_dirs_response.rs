// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeLogDirsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_log_dirs_response as theirs;
use precursor_protocol::messages::describe_log_dirs_response as ours;

impl ToOracle<theirs::DescribeLogDirsResponse> for ours::DescribeLogDirsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeLogDirsResponse {
        let mut theirs = theirs::DescribeLogDirsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 3 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeLogDirsResult> for ours::DescribeLogDirsResult {
    fn to_oracle(&self, version: i16) -> theirs::DescribeLogDirsResult {
        let mut theirs = theirs::DescribeLogDirsResult::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.log_dir = self.log_dir.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        if version >= 4 {
            theirs.total_bytes = self.total_bytes.to_oracle(version);
        }
        if version >= 4 {
            theirs.usable_bytes = self.usable_bytes.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeLogDirsTopic> for ours::DescribeLogDirsTopic {
    fn to_oracle(&self, version: i16) -> theirs::DescribeLogDirsTopic {
        let mut theirs = theirs::DescribeLogDirsTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeLogDirsPartition> for ours::DescribeLogDirsPartition {
    fn to_oracle(&self, version: i16) -> theirs::DescribeLogDirsPartition {
        let mut theirs = theirs::DescribeLogDirsPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.partition_size = self.partition_size.to_oracle(version);
        theirs.offset_lag = self.offset_lag.to_oracle(version);
        theirs.is_future_key = self.is_future_key.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
