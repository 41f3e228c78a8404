// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeProducersResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_producers_response::*;

impl Random for DescribeProducersResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| TopicResponse::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeProducersResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| PartitionResponse::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        TopicResponse {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let active_producers = s.array(|s| ProducerState::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        PartitionResponse {
            partition_index,
            error_code,
            error_message,
            active_producers,
            unknown_tagged_fields,
        }
    }
}

impl Random for ProducerState {
    fn random(s: &mut Source, _version: i16) -> Self {
        let producer_id = s.int64();
        let producer_epoch = s.int32();
        let last_sequence = s.int32();
        let last_timestamp = s.int64();
        let coordinator_epoch = s.int32();
        let current_txn_start_offset = s.int64();
        let unknown_tagged_fields = s.tags(true, 0);
        ProducerState {
            producer_id,
            producer_epoch,
            last_sequence,
            last_timestamp,
            coordinator_epoch,
            current_txn_start_offset,
            unknown_tagged_fields,
        }
    }
}
