// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteTopicsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_topics_response::*;

impl Random for DeleteTopicsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let responses = s.array(|s| DeletableTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DeleteTopicsResponse {
            throttle_time_ms,
            responses,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeletableTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.option(version >= 6, |s| s.string());
        let topic_id = if version >= 6 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let error_code = s.int16();
        let error_message = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DeletableTopicResult {
            name,
            topic_id,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}
