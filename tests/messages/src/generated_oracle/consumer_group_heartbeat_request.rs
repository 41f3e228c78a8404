// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ConsumerGroupHeartbeatRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::consumer_group_heartbeat_request as theirs;
use precursor_protocol::messages::consumer_group_heartbeat_request as ours;

impl ToOracle<theirs::ConsumerGroupHeartbeatRequest> for ours::ConsumerGroupHeartbeatRequest {
    fn to_oracle(&self, version: i16) -> theirs::ConsumerGroupHeartbeatRequest {
        let mut theirs = theirs::ConsumerGroupHeartbeatRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.member_epoch = self.member_epoch.to_oracle(version);
        theirs.instance_id = self.instance_id.to_oracle(version);
        theirs.rack_id = self.rack_id.to_oracle(version);
        theirs.rebalance_timeout_ms = self.rebalance_timeout_ms.to_oracle(version);
        theirs.subscribed_topic_names = self.subscribed_topic_names.to_oracle(version);
        if version >= 1 {
            theirs.subscribed_topic_regex = self.subscribed_topic_regex.to_oracle(version);
        }
        theirs.server_assignor = self.server_assignor.to_oracle(version);
        theirs.topic_partitions = self.topic_partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicPartitions> for ours::TopicPartitions {
    fn to_oracle(&self, version: i16) -> theirs::TopicPartitions {
        let mut theirs = theirs::TopicPartitions::default();
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
