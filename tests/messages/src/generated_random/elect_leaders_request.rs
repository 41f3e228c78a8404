// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ElectLeadersRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::elect_leaders_request::*;

impl Random for ElectLeadersRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let election_type = if version >= 1 { s.int8() } else { 0 };
        let topic_partitions = s.option(true, |s| s.array(|s| TopicPartitions::random(s, version)));
        let timeout_ms = s.int32();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        ElectLeadersRequest {
            election_type,
            topic_partitions,
            timeout_ms,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicPartitions {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = s.string();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        TopicPartitions {
            topic,
            partitions,
            unknown_tagged_fields,
        }
    }
}
