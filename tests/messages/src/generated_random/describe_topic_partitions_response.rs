// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeTopicPartitionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_topic_partitions_response::*;

impl Random for DescribeTopicPartitionsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| DescribeTopicPartitionsResponseTopic::random(s, version));
        let next_cursor = s.option(true, |s| Cursor::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTopicPartitionsResponse {
            throttle_time_ms,
            topics,
            next_cursor,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeTopicPartitionsResponseTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let name = s.option(true, |s| s.string());
        let topic_id = s.topic_id();
        let is_internal = s.bool();
        let partitions = s.array(|s| DescribeTopicPartitionsResponsePartition::random(s, version));
        let topic_authorized_operations = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTopicPartitionsResponseTopic {
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

impl Random for DescribeTopicPartitionsResponsePartition {
    fn random(s: &mut Source, _version: i16) -> Self {
        let error_code = s.int16();
        let partition_index = s.int32();
        let leader_id = s.int32();
        let leader_epoch = s.int32();
        let replica_nodes = s.array(|s| s.int32());
        let isr_nodes = s.array(|s| s.int32());
        let eligible_leader_replicas = s.option(true, |s| s.array(|s| s.int32()));
        let last_known_elr = s.option(true, |s| s.array(|s| s.int32()));
        let offline_replicas = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTopicPartitionsResponsePartition {
            error_code,
            partition_index,
            leader_id,
            leader_epoch,
            replica_nodes,
            isr_nodes,
            eligible_leader_replicas,
            last_known_elr,
            offline_replicas,
            unknown_tagged_fields,
        }
    }
}

impl Random for Cursor {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic_name = s.string();
        let partition_index = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        Cursor {
            topic_name,
            partition_index,
            unknown_tagged_fields,
        }
    }
}
