// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ProduceResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::produce_response::*;

impl Random for ProduceResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let responses = s.array(|s| TopicProduceResponse::random(s, version));
        let throttle_time_ms = s.int32();
        let node_endpoints = if version >= 10 {
            if s.bool() {
                s.array(|s| NodeEndpoint::random(s, version))
            } else {
                Vec::new()
            }
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 9, 1);
        ProduceResponse {
            responses,
            throttle_time_ms,
            node_endpoints,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicProduceResponse {
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
        let partition_responses = s.array(|s| PartitionProduceResponse::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        TopicProduceResponse {
            name,
            topic_id,
            partition_responses,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionProduceResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let index = s.int32();
        let error_code = s.int16();
        let base_offset = s.int64();
        let log_append_time_ms = s.int64();
        let log_start_offset = if version >= 5 { s.int64() } else { -1 };
        let record_errors = if version >= 8 {
            s.array(|s| BatchIndexAndErrorMessage::random(s, version))
        } else {
            Vec::new()
        };
        let error_message = if version >= 8 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let current_leader = if version >= 10 {
            if s.bool() {
                LeaderIdAndEpoch::random(s, version)
            } else {
                LeaderIdAndEpoch::default()
            }
        } else {
            LeaderIdAndEpoch::default()
        };
        let unknown_tagged_fields = s.tags(version >= 9, 1);
        PartitionProduceResponse {
            index,
            error_code,
            base_offset,
            log_append_time_ms,
            log_start_offset,
            record_errors,
            error_message,
            current_leader,
            unknown_tagged_fields,
        }
    }
}

impl Random for BatchIndexAndErrorMessage {
    fn random(s: &mut Source, version: i16) -> Self {
        let batch_index = s.int32();
        let batch_index_error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 9, 0);
        BatchIndexAndErrorMessage {
            batch_index,
            batch_index_error_message,
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
