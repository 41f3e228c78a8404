// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupHeartbeatResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_group_heartbeat_response as theirs;
use precursor_protocol::messages::share_group_heartbeat_response as ours;

impl ToOracle<theirs::ShareGroupHeartbeatResponse> for ours::ShareGroupHeartbeatResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareGroupHeartbeatResponse {
        let mut theirs = theirs::ShareGroupHeartbeatResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.member_epoch = self.member_epoch.to_oracle(version);
        theirs.heartbeat_interval_ms = self.heartbeat_interval_ms.to_oracle(version);
        theirs.assignment = self.assignment.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::Assignment> for ours::Assignment {
    fn to_oracle(&self, version: i16) -> theirs::Assignment {
        let mut theirs = theirs::Assignment::default();
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
