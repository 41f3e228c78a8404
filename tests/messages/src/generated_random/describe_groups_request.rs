// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeGroupsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_groups_request::*;

impl Random for DescribeGroupsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let groups = s.array(|s| s.string());
        let include_authorized_operations = if version >= 3 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        DescribeGroupsRequest {
            groups,
            include_authorized_operations,
            unknown_tagged_fields,
        }
    }
}
