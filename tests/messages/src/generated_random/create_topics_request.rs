// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random CreateTopicsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::create_topics_request::*;

impl Random for CreateTopicsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.array(|s| CreatableTopic::random(s, version));
        let timeout_ms = s.int32();
        let validate_only = s.bool();
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        CreateTopicsRequest {
            topics,
            timeout_ms,
            validate_only,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatableTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let num_partitions = s.int32();
        let replication_factor = s.int16();
        let assignments = s.array(|s| CreatableReplicaAssignment::random(s, version));
        let configs = s.array(|s| CreatableTopicConfig::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        CreatableTopic {
            name,
            num_partitions,
            replication_factor,
            assignments,
            configs,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatableReplicaAssignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let broker_ids = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        CreatableReplicaAssignment {
            partition_index,
            broker_ids,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatableTopicConfig {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let value = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        CreatableTopicConfig {
            name,
            value,
            unknown_tagged_fields,
        }
    }
}
