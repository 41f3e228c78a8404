// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteAclsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_acls_response::*;

impl Random for DeleteAclsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let filter_results = s.array(|s| DeleteAclsFilterResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteAclsResponse {
            throttle_time_ms,
            filter_results,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteAclsFilterResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let matching_acls = s.array(|s| DeleteAclsMatchingAcl::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteAclsFilterResult {
            error_code,
            error_message,
            matching_acls,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteAclsMatchingAcl {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let resource_type = s.int8();
        let resource_name = s.string();
        let pattern_type = s.int8();
        let principal = s.string();
        let host = s.string();
        let operation = s.int8();
        let permission_type = s.int8();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteAclsMatchingAcl {
            error_code,
            error_message,
            resource_type,
            resource_name,
            pattern_type,
            principal,
            host,
            operation,
            permission_type,
            unknown_tagged_fields,
        }
    }
}
