// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupDescribeResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_group_describe_response as theirs;
use precursor_protocol::messages::share_group_describe_response as ours;

impl ToOracle<theirs::ShareGroupDescribeResponse> for ours::ShareGroupDescribeResponse {
    fn to_oracle(&self, version: i16) -> theirs::ShareGroupDescribeResponse {
        let mut theirs = theirs::ShareGroupDescribeResponse::default();
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
        theirs.rack_id = self.rack_id.to_oracle(version);
        theirs.member_epoch = self.member_epoch.to_oracle(version);
        theirs.client_id = self.client_id.to_oracle(version);
        theirs.client_host = self.client_host.to_oracle(version);
        theirs.subscribed_topic_names = self.subscribed_topic_names.to_oracle(version);
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
        theirs.topic_name = self.topic_name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
