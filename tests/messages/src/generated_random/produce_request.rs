// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ProduceRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::produce_request::*;

impl Random for ProduceRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.option(true, |s| s.string());
        let acks = s.int16();
        let timeout_ms = s.int32();
        let topic_data = s.array(|s| TopicProduceData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        ProduceRequest {
            transactional_id,
            acks,
            timeout_ms,
            topic_data,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicProduceData {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = if version <= 12 {
            s.string()
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let partition_data = s.array(|s| PartitionProduceData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        TopicProduceData {
            name,
            topic_id,
            partition_data,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionProduceData {
    fn random(s: &mut Source, version: i16) -> Self {
        let index = s.int32();
        let records = s.option(true, |s| s.bytes());
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        PartitionProduceData {
            index,
            records,
            unknown_tagged_fields,
        }
    }
}
