// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ConsumerGroupHeartbeatResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::consumer_group_heartbeat_response::*;

impl Random for ConsumerGroupHeartbeatResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let member_id = s.option(true, |s| s.string());
        let member_epoch = s.int32();
        let heartbeat_interval_ms = s.int32();
        let assignment = s.option(true, |s| Assignment::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ConsumerGroupHeartbeatResponse {
            throttle_time_ms,
            error_code,
            error_message,
            member_id,
            member_epoch,
            heartbeat_interval_ms,
            assignment,
            unknown_tagged_fields,
        }
    }
}

impl Random for Assignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_partitions = s.array(|s| TopicPartitions::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        Assignment {
            topic_partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicPartitions {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic_id = s.topic_id();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        TopicPartitions {
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}
