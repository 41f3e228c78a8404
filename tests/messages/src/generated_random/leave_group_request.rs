// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random LeaveGroupRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::leave_group_request::*;

impl Random for LeaveGroupRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let member_id = if version <= 2 {
            s.string()
        } else {
            String::new()
        };
        let members = if version >= 3 {
            s.array(|s| MemberIdentity::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        LeaveGroupRequest {
            group_id,
            member_id,
            members,
            unknown_tagged_fields,
        }
    }
}

impl Random for MemberIdentity {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let group_instance_id = s.option(true, |s| s.string());
        let reason = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        MemberIdentity {
            member_id,
            group_instance_id,
            reason,
            unknown_tagged_fields,
        }
    }
}
