// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareGroupDescribeRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_group_describe_request::*;

impl Random for ShareGroupDescribeRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let group_ids = s.array(|s| s.string());
        let include_authorized_operations = s.bool();
        let unknown_tagged_fields = s.tags(true, 0);
        ShareGroupDescribeRequest {
            group_ids,
            include_authorized_operations,
            unknown_tagged_fields,
        }
    }
}
