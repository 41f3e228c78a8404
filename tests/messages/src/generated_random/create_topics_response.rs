// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random CreateTopicsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::create_topics_response::*;

impl Random for CreateTopicsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| CreatableTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        CreateTopicsResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatableTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let topic_id = if version >= 7 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let topic_config_error_code = if version >= 5 {
            if s.bool() { s.int16() } else { 0 }
        } else {
            0
        };
        let num_partitions = if version >= 5 { s.int32() } else { -1 };
        let replication_factor = if version >= 5 { s.int16() } else { -1 };
        let configs = if version >= 5 {
            s.option(true, |s| {
                s.array(|s| CreatableTopicConfigs::random(s, version))
            })
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 5, 1);
        CreatableTopicResult {
            name,
            topic_id,
            error_code,
            error_message,
            topic_config_error_code,
            num_partitions,
            replication_factor,
            configs,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatableTopicConfigs {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let value = s.option(true, |s| s.string());
        let read_only = s.bool();
        let config_source = s.int8();
        let is_sensitive = s.bool();
        let unknown_tagged_fields = s.tags(true, 0);
        CreatableTopicConfigs {
            name,
            value,
            read_only,
            config_source,
            is_sensitive,
            unknown_tagged_fields,
        }
    }
}
