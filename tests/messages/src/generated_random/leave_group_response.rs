// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random LeaveGroupResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::leave_group_response::*;

impl Random for LeaveGroupResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let error_code = s.int16();
        let members = if version >= 3 {
            s.array(|s| MemberResponse::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        LeaveGroupResponse {
            throttle_time_ms,
            error_code,
            members,
            unknown_tagged_fields,
        }
    }
}

impl Random for MemberResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let group_instance_id = s.option(true, |s| s.string());
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        MemberResponse {
            member_id,
            group_instance_id,
            error_code,
            unknown_tagged_fields,
        }
    }
}
