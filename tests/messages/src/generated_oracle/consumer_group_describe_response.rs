// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ConsumerGroupDescribeResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::consumer_group_describe_response as theirs;
use precursor_protocol::messages::consumer_group_describe_response as ours;

impl ToOracle<theirs::ConsumerGroupDescribeResponse> for ours::ConsumerGroupDescribeResponse {
    fn to_oracle(&self, version: i16) -> theirs::ConsumerGroupDescribeResponse {
        let mut theirs = theirs::ConsumerGroupDescribeResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.groups = self.groups.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribedGroup> for ours::DescribedGroup {
    fn to_oracle(&self, version: i16) -> theirs::DescribedGroup {
        let mut theirs = theirs::DescribedGroup::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.group_state = self.group_state.to_oracle(version);
        theirs.group_epoch = self.group_epoch.to_oracle(version);
        theirs.assignment_epoch = self.assignment_epoch.to_oracle(version);
        theirs.assignor_name = self.assignor_name.to_oracle(version);
        theirs.members = self.members.to_oracle(version);
        theirs.authorized_operations = self.authorized_operations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::Member> for ours::Member {
    fn to_oracle(&self, version: i16) -> theirs::Member {
        let mut theirs = theirs::Member::default();
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.instance_id = self.instance_id.to_oracle(version);
        theirs.rack_id = self.rack_id.to_oracle(version);
        theirs.member_epoch = self.member_epoch.to_oracle(version);
        theirs.client_id = self.client_id.to_oracle(version);
        theirs.client_host = self.client_host.to_oracle(version);
        theirs.subscribed_topic_names = self.subscribed_topic_names.to_oracle(version);
        theirs.subscribed_topic_regex = self.subscribed_topic_regex.to_oracle(version);
        theirs.assignment = self.assignment.to_oracle(version);
        theirs.target_assignment = self.target_assignment.to_oracle(version);
        if version >= 1 {
            theirs.member_type = self.member_type.to_oracle(version);
        }
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
        theirs.topic_name = self.topic_name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
