// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random FindCoordinatorRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::find_coordinator_request::*;

impl Random for FindCoordinatorRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let key = if version <= 3 {
            s.string()
        } else {
            String::new()
        };
        let key_type = if version >= 1 { s.int8() } else { 0 };
        let coordinator_keys = if version >= 4 {
            s.array(|s| s.string())
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        FindCoordinatorRequest {
            key,
            key_type,
            coordinator_keys,
            unknown_tagged_fields,
        }
    }
}
