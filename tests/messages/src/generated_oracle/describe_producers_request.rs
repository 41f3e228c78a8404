// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeProducersRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_producers_request as theirs;
use precursor_protocol::messages::describe_producers_request as ours;

impl ToOracle<theirs::DescribeProducersRequest> for ours::DescribeProducersRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeProducersRequest {
        let mut theirs = theirs::DescribeProducersRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicRequest> for ours::TopicRequest {
    fn to_oracle(&self, version: i16) -> theirs::TopicRequest {
        let mut theirs = theirs::TopicRequest::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partition_indexes = self.partition_indexes.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
