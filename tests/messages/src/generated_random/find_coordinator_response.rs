// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random FindCoordinatorResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::find_coordinator_response::*;

impl Random for FindCoordinatorResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let error_code = if version <= 3 { s.int16() } else { 0 };
        let error_message = if (1..=3).contains(&version) {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let node_id = if version <= 3 { s.int32() } else { 0 };
        let host = if version <= 3 {
            s.string()
        } else {
            String::new()
        };
        let port = if version <= 3 { s.int32() } else { 0 };
        let coordinators = if version >= 4 {
            s.array(|s| Coordinator::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        FindCoordinatorResponse {
            throttle_time_ms,
            error_code,
            error_message,
            node_id,
            host,
            port,
            coordinators,
            unknown_tagged_fields,
        }
    }
}

impl Random for Coordinator {
    fn random(s: &mut Source, _version: i16) -> Self {
        let key = s.string();
        let node_id = s.int32();
        let host = s.string();
        let port = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        Coordinator {
            key,
            node_id,
            host,
            port,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}
