// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ConsumerGroupDescribeRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::consumer_group_describe_request::*;

impl Random for ConsumerGroupDescribeRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let group_ids = s.array(|s| s.string());
        let include_authorized_operations = s.bool();
        let unknown_tagged_fields = s.tags(true, 0);
        ConsumerGroupDescribeRequest {
            group_ids,
            include_authorized_operations,
            unknown_tagged_fields,
        }
    }
}
