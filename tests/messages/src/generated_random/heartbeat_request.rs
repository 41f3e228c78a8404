// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random HeartbeatRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::heartbeat_request::*;

impl Random for HeartbeatRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let generation_id = s.int32();
        let member_id = s.string();
        let group_instance_id = if version >= 3 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        HeartbeatRequest {
            group_id,
            generation_id,
            member_id,
            group_instance_id,
            unknown_tagged_fields,
        }
    }
}
