// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random MetadataResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::metadata_response::*;

impl Random for MetadataResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 3 { s.int32() } else { 0 };
        let brokers = s.array(|s| MetadataResponseBroker::random(s, version));
        let cluster_id = if version >= 2 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let controller_id = if version >= 1 { s.int32() } else { -1 };
        let topics = s.array(|s| MetadataResponseTopic::random(s, version));
        let cluster_authorized_operations = if (8..=10).contains(&version) {
            s.int32()
        } else {
            i32::MIN
        };
        let error_code = if version >= 13 { s.int16() } else { 0 };
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataResponse {
            throttle_time_ms,
            brokers,
            cluster_id,
            controller_id,
            topics,
            cluster_authorized_operations,
            error_code,
            unknown_tagged_fields,
        }
    }
}

impl Random for MetadataResponseBroker {
    fn random(s: &mut Source, version: i16) -> Self {
        let node_id = s.int32();
        let host = s.string();
        let port = s.int32();
        let rack = if version >= 1 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataResponseBroker {
            node_id,
            host,
            port,
            rack,
            unknown_tagged_fields,
        }
    }
}

impl Random for MetadataResponseTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let name = s.option(version >= 12, |s| s.string());
        let topic_id = if version >= 10 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let is_internal = if version >= 1 { s.bool() } else { false };
        let partitions = s.array(|s| MetadataResponsePartition::random(s, version));
        let topic_authorized_operations = if version >= 8 { s.int32() } else { i32::MIN };
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataResponseTopic {
            error_code,
            name,
            topic_id,
            is_internal,
            partitions,
            topic_authorized_operations,
            unknown_tagged_fields,
        }
    }
}

impl Random for MetadataResponsePartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let partition_index = s.int32();
        let leader_id = s.int32();
        let leader_epoch = if version >= 7 { s.int32() } else { -1 };
        let replica_nodes = s.array(|s| s.int32());
        let isr_nodes = s.array(|s| s.int32());
        let offline_replicas = if version >= 5 {
            s.array(|s| s.int32())
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        MetadataResponsePartition {
            error_code,
            partition_index,
            leader_id,
            leader_epoch,
            replica_nodes,
            isr_nodes,
            offline_replicas,
            unknown_tagged_fields,
        }
    }
}
