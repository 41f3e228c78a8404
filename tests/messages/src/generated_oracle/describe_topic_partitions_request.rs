// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTopicPartitionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_topic_partitions_request as theirs;
use precursor_protocol::messages::describe_topic_partitions_request as ours;

impl ToOracle<theirs::DescribeTopicPartitionsRequest> for ours::DescribeTopicPartitionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeTopicPartitionsRequest {
        let mut theirs = theirs::DescribeTopicPartitionsRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.response_partition_limit = self.response_partition_limit.to_oracle(version);
        theirs.cursor = self.cursor.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicRequest> for ours::TopicRequest {
    fn to_oracle(&self, version: i16) -> theirs::TopicRequest {
        let mut theirs = theirs::TopicRequest::default();
        theirs.name = self.name.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::Cursor> for ours::Cursor {
    fn to_oracle(&self, version: i16) -> theirs::Cursor {
        let mut theirs = theirs::Cursor::default();
        theirs.topic_name = self.topic_name.to_oracle(version);
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
