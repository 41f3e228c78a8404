// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ShareFetchResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::share_fetch_response::*;

impl Random for ShareFetchResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let acquisition_lock_timeout_ms = s.int32();
        let responses = s.array(|s| ShareFetchableTopicResponse::random(s, version));
        let node_endpoints = s.array(|s| NodeEndpoint::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareFetchResponse {
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

impl Random for ShareFetchableTopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| PartitionData::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ShareFetchableTopicResponse {
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
        let acknowledge_error_code = s.int16();
        let acknowledge_error_message = s.option(true, |s| s.string());
        let current_leader = LeaderIdAndEpoch::random(s, version);
        let records = s.bytes();
        let acquired_records = s.array(|s| AcquiredRecords::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        PartitionData {
            partition_index,
            error_code,
            error_message,
            acknowledge_error_code,
            acknowledge_error_message,
            current_leader,
            records,
            acquired_records,
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

impl Random for AcquiredRecords {
    fn random(s: &mut Source, _version: i16) -> Self {
        let first_offset = s.int64();
        let last_offset = s.int64();
        let delivery_count = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        AcquiredRecords {
            first_offset,
            last_offset,
            delivery_count,
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
