// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteGroupsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_groups_response::*;

impl Random for DeleteGroupsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let results = s.array(|s| DeletableGroupResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteGroupsResponse {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeletableGroupResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let error_code = s.int16();
        let error_message = if version >= 3 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeletableGroupResult {
            group_id,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}
