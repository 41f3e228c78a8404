// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeLogDirsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_log_dirs_request as theirs;
use precursor_protocol::messages::describe_log_dirs_request as ours;

impl ToOracle<theirs::DescribeLogDirsRequest> for ours::DescribeLogDirsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeLogDirsRequest {
        let mut theirs = theirs::DescribeLogDirsRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribableLogDirTopic> for ours::DescribableLogDirTopic {
    fn to_oracle(&self, version: i16) -> theirs::DescribableLogDirTopic {
        let mut theirs = theirs::DescribableLogDirTopic::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
