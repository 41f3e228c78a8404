// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTopicPartitionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_topic_partitions_response as theirs;
use precursor_protocol::messages::describe_topic_partitions_response as ours;

impl ToOracle<theirs::DescribeTopicPartitionsResponse> for ours::DescribeTopicPartitionsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeTopicPartitionsResponse {
        let mut theirs = theirs::DescribeTopicPartitionsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.next_cursor = self.next_cursor.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeTopicPartitionsResponseTopic>
    for ours::DescribeTopicPartitionsResponseTopic
{
    fn to_oracle(&self, version: i16) -> theirs::DescribeTopicPartitionsResponseTopic {
        let mut theirs = theirs::DescribeTopicPartitionsResponseTopic::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.name = self.name.to_oracle(version);
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.is_internal = self.is_internal.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.topic_authorized_operations = self.topic_authorized_operations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeTopicPartitionsResponsePartition>
    for ours::DescribeTopicPartitionsResponsePartition
{
    fn to_oracle(&self, version: i16) -> theirs::DescribeTopicPartitionsResponsePartition {
        let mut theirs = theirs::DescribeTopicPartitionsResponsePartition::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.leader_id = self.leader_id.to_oracle(version);
        theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        theirs.replica_nodes = self.replica_nodes.to_oracle(version);
        theirs.isr_nodes = self.isr_nodes.to_oracle(version);
        theirs.eligible_leader_replicas = self.eligible_leader_replicas.to_oracle(version);
        theirs.last_known_elr = self.last_known_elr.to_oracle(version);
        theirs.offline_replicas = self.offline_replicas.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::Cursor> for ours::Cursor {
    fn to_oracle(&self, version: i16) -> theirs::Cursor {
        let mut theirs = theirs::Cursor::default();
        theirs.topic_name = self.topic_name.to_oracle(version);
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
