// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeAclsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_acls_request::*;

impl Random for DescribeAclsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_type_filter = s.int8();
        let resource_name_filter = s.option(true, |s| s.string());
        let pattern_type_filter = s.int8();
        let principal_filter = s.option(true, |s| s.string());
        let host_filter = s.option(true, |s| s.string());
        let operation = s.int8();
        let permission_type = s.int8();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeAclsRequest {
            resource_type_filter,
            resource_name_filter,
            pattern_type_filter,
            principal_filter,
            host_filter,
            operation,
            permission_type,
            unknown_tagged_fields,
        }
    }
}
