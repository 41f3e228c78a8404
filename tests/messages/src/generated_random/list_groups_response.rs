// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListGroupsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_groups_response::*;

impl Random for ListGroupsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let error_code = s.int16();
        let groups = s.array(|s| ListedGroup::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        ListGroupsResponse {
            throttle_time_ms,
            error_code,
            groups,
            unknown_tagged_fields,
        }
    }
}

impl Random for ListedGroup {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let protocol_type = s.string();
        let group_state = if version >= 4 {
            s.string()
        } else {
            String::new()
        };
        let group_type = if version >= 5 {
            s.string()
        } else {
            String::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        ListedGroup {
            group_id,
            protocol_type,
            group_state,
            group_type,
            unknown_tagged_fields,
        }
    }
}
