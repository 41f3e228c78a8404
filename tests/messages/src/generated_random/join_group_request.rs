// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random JoinGroupRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::join_group_request::*;

impl Random for JoinGroupRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let session_timeout_ms = s.int32();
        let rebalance_timeout_ms = if version >= 1 { s.int32() } else { -1 };
        let member_id = s.string();
        let group_instance_id = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let protocol_type = s.string();
        let protocols = s.array(|s| JoinGroupRequestProtocol::random(s, version));
        let reason = if version >= 8 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        JoinGroupRequest {
            group_id,
            session_timeout_ms,
            rebalance_timeout_ms,
            member_id,
            group_instance_id,
            protocol_type,
            protocols,
            reason,
            unknown_tagged_fields,
        }
    }
}

impl Random for JoinGroupRequestProtocol {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let metadata = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        JoinGroupRequestProtocol {
            name,
            metadata,
            unknown_tagged_fields,
        }
    }
}
