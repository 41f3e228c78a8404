// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random MetadataRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::metadata_request::*;

impl Random for MetadataRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.option(version >= 1, |s| {
            s.array(|s| MetadataRequestTopic::random(s, version))
        });
        let allow_auto_topic_creation = if version >= 4 { s.bool() } else { true };
        let include_cluster_authorized_operations = if (8..=10).contains(&version) {
            s.bool()
        } else {
            false
        };
        let include_topic_authorized_operations = if version >= 8 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataRequest {
            topics,
            allow_auto_topic_creation,
            include_cluster_authorized_operations,
            include_topic_authorized_operations,
            unknown_tagged_fields,
        }
    }
}

impl Random for MetadataRequestTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_id = if version >= 10 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let name = s.option(version >= 10, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataRequestTopic {
            topic_id,
            name,
            unknown_tagged_fields,
        }
    }
}
