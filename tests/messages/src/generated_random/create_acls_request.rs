// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random CreateAclsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::create_acls_request::*;

impl Random for CreateAclsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let creations = s.array(|s| AclCreation::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreateAclsRequest {
            creations,
            unknown_tagged_fields,
        }
    }
}

impl Random for AclCreation {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_type = s.int8();
        let resource_name = s.string();
        let resource_pattern_type = s.int8();
        let principal = s.string();
        let host = s.string();
        let operation = s.int8();
        let permission_type = s.int8();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        AclCreation {
            resource_type,
            resource_name,
            resource_pattern_type,
            principal,
            host,
            operation,
            permission_type,
            unknown_tagged_fields,
        }
    }
}
