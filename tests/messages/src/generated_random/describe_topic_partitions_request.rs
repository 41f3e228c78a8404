// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeTopicPartitionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_topic_partitions_request::*;

impl Random for DescribeTopicPartitionsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.array(|s| TopicRequest::random(s, version));
        let response_partition_limit = s.int32();
        let cursor = s.option(true, |s| Cursor::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTopicPartitionsRequest {
            topics,
            response_partition_limit,
            cursor,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let unknown_tagged_fields = s.tags(true, 0);
        TopicRequest {
            name,
            unknown_tagged_fields,
        }
    }
}

impl Random for Cursor {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic_name = s.string();
        let partition_index = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        Cursor {
            topic_name,
            partition_index,
            unknown_tagged_fields,
        }
    }
}
