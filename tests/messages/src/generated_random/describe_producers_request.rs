// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeProducersRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_producers_request::*;

impl Random for DescribeProducersRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.array(|s| TopicRequest::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeProducersRequest {
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let partition_indexes = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        TopicRequest {
            name,
            partition_indexes,
            unknown_tagged_fields,
        }
    }
}
