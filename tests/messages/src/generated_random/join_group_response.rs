// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random JoinGroupResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::join_group_response::*;

impl Random for JoinGroupResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 2 { s.int32() } else { 0 };
        let error_code = s.int16();
        let generation_id = s.int32();
        let protocol_type = if version >= 7 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let protocol_name = s.option(version >= 7, |s| s.string());
        let leader = s.string();
        let skip_assignment = if version >= 9 { s.bool() } else { false };
        let member_id = s.string();
        let members = s.array(|s| JoinGroupResponseMember::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        JoinGroupResponse {
            throttle_time_ms,
            error_code,
            generation_id,
            protocol_type,
            protocol_name,
            leader,
            skip_assignment,
            member_id,
            members,
            unknown_tagged_fields,
        }
    }
}

impl Random for JoinGroupResponseMember {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let group_instance_id = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let metadata = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        JoinGroupResponseMember {
            member_id,
            group_instance_id,
            metadata,
            unknown_tagged_fields,
        }
    }
}
