// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareAcknowledgeResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_acknowledge_response::*;

impl Random for ShareAcknowledgeResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let acquisition_lock_timeout_ms = if version >= 2 { s.int32() } else { 0 };
        let responses = s.array(|s| ShareAcknowledgeTopicResponse::random(s, version));
        let node_endpoints = s.array(|s| NodeEndpoint::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareAcknowledgeResponse {
            throttle_time_ms,
            error_code,
            error_message,
            acquisition_lock_timeout_ms,
            responses,
            node_endpoints,
            unknown_tagged_fields,
        }
    }
}

impl Random for ShareAcknowledgeTopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| PartitionData::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareAcknowledgeTopicResponse {
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionData {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let current_leader = LeaderIdAndEpoch::random(s, version);
        let unknown_tagged_fields = s.tags(true, 0);
        PartitionData {
            partition_index,
            error_code,
            error_message,
            current_leader,
            unknown_tagged_fields,
        }
    }
}

impl Random for LeaderIdAndEpoch {
    fn random(s: &mut Source, _version: i16) -> Self {
        let leader_id = s.int32();
        let leader_epoch = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        LeaderIdAndEpoch {
            leader_id,
            leader_epoch,
            unknown_tagged_fields,
        }
    }
}

impl Random for NodeEndpoint {
    fn random(s: &mut Source, _version: i16) -> Self {
        let node_id = s.int32();
        let host = s.string();
        let port = s.int32();
        let rack = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        NodeEndpoint {
            node_id,
            host,
            port,
            rack,
            unknown_tagged_fields,
        }
    }
}
