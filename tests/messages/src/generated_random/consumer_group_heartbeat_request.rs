// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ConsumerGroupHeartbeatRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::consumer_group_heartbeat_request::*;

impl Random for ConsumerGroupHeartbeatRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let member_id = s.string();
        let member_epoch = s.int32();
        let instance_id = s.option(true, |s| s.string());
        let rack_id = s.option(true, |s| s.string());
        let rebalance_timeout_ms = s.int32();
        let subscribed_topic_names = s.option(true, |s| s.array(|s| s.string()));
        let subscribed_topic_regex = if version >= 1 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let server_assignor = s.option(true, |s| s.string());
        let topic_partitions = s.option(true, |s| s.array(|s| TopicPartitions::random(s, version)));
        let unknown_tagged_fields = s.tags(true, 0);
        ConsumerGroupHeartbeatRequest {
            group_id,
            member_id,
            member_epoch,
            instance_id,
            rack_id,
            rebalance_timeout_ms,
            subscribed_topic_names,
            subscribed_topic_regex,
            server_assignor,
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
