// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SyncGroupRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::sync_group_request::*;

impl Random for SyncGroupRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let generation_id = s.int32();
        let member_id = s.string();
        let group_instance_id = if version >= 3 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let protocol_type = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let protocol_name = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let assignments = s.array(|s| SyncGroupRequestAssignment::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        SyncGroupRequest {
            group_id,
            generation_id,
            member_id,
            group_instance_id,
            protocol_type,
            protocol_name,
            assignments,
            unknown_tagged_fields,
        }
    }
}

impl Random for SyncGroupRequestAssignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let assignment = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        SyncGroupRequestAssignment {
            member_id,
            assignment,
            unknown_tagged_fields,
        }
    }
}
