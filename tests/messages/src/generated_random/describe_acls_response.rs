// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeAclsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_acls_response::*;

impl Random for DescribeAclsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let resources = s.array(|s| DescribeAclsResource::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeAclsResponse {
            throttle_time_ms,
            error_code,
            error_message,
            resources,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeAclsResource {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_type = s.int8();
        let resource_name = s.string();
        let pattern_type = s.int8();
        let acls = s.array(|s| AclDescription::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeAclsResource {
            resource_type,
            resource_name,
            pattern_type,
            acls,
            unknown_tagged_fields,
        }
    }
}

impl Random for AclDescription {
    fn random(s: &mut Source, version: i16) -> Self {
        let principal = s.string();
        let host = s.string();
        let operation = s.int8();
        let permission_type = s.int8();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        AclDescription {
            principal,
            host,
            operation,
            permission_type,
            unknown_tagged_fields,
        }
    }
}
