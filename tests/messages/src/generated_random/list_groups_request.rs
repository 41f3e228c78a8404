// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListGroupsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_groups_request::*;

impl Random for ListGroupsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let states_filter = if version >= 4 {
            s.array(|s| s.string())
        } else {
            Vec::new()
        };
        let types_filter = if version >= 5 {
            s.array(|s| s.string())
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        ListGroupsRequest {
            states_filter,
            types_filter,
            unknown_tagged_fields,
        }
    }
}
