// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteTopicsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_topics_request::*;

impl Random for DeleteTopicsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = if version >= 6 {
            s.array(|s| DeleteTopicState::random(s, version))
        } else {
            Vec::new()
        };
        let topic_names = if version <= 5 {
            s.array(|s| s.string())
        } else {
            Vec::new()
        };
        let timeout_ms = s.int32();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DeleteTopicsRequest {
            topics,
            topic_names,
            timeout_ms,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteTopicState {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.option(true, |s| s.string());
        let topic_id = s.topic_id();
        let unknown_tagged_fields = s.tags(true, 0);
        DeleteTopicState {
            name,
            topic_id,
            unknown_tagged_fields,
        }
    }
}
