// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareGroupHeartbeatRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_group_heartbeat_request::*;

impl Random for ShareGroupHeartbeatRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let group_id = s.string();
        let member_id = s.string();
        let member_epoch = s.int32();
        let rack_id = s.option(true, |s| s.string());
        let subscribed_topic_names = s.option(true, |s| s.array(|s| s.string()));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareGroupHeartbeatRequest {
            group_id,
            member_id,
            member_epoch,
            rack_id,
            subscribed_topic_names,
            unknown_tagged_fields,
        }
    }
}
