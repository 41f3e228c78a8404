// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteGroupsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_groups_request::*;

impl Random for DeleteGroupsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let groups_names = s.array(|s| s.string());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteGroupsRequest {
            groups_names,
            unknown_tagged_fields,
        }
    }
}
