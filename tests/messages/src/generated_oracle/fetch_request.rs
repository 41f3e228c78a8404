// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FetchRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::fetch_request as theirs;
use precursor_protocol::messages::fetch_request as ours;

impl ToOracle<theirs::FetchRequest> for ours::FetchRequest {
    fn to_oracle(&self, version: i16) -> theirs::FetchRequest {
        let mut theirs = theirs::FetchRequest::default();
        if version >= 12 {
            theirs.cluster_id = self.cluster_id.to_oracle(version);
        }
        if version <= 14 {
            theirs.replica_id = self.replica_id.to_oracle(version);
        }
        if version >= 15 {
            theirs.replica_state = self.replica_state.to_oracle(version);
        }
        theirs.max_wait_ms = self.max_wait_ms.to_oracle(version);
        theirs.min_bytes = self.min_bytes.to_oracle(version);
        theirs.max_bytes = self.max_bytes.to_oracle(version);
        theirs.isolation_level = self.isolation_level.to_oracle(version);
        if version >= 7 {
            theirs.session_id = self.session_id.to_oracle(version);
        }
        if version >= 7 {
            theirs.session_epoch = self.session_epoch.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        if version >= 7 {
            theirs.forgotten_topics_data = self.forgotten_topics_data.to_oracle(version);
        }
        if version >= 11 {
            theirs.rack_id = self.rack_id.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ReplicaState> for ours::ReplicaState {
    fn to_oracle(&self, version: i16) -> theirs::ReplicaState {
        let mut theirs = theirs::ReplicaState::default();
        theirs.replica_id = self.replica_id.to_oracle(version);
        theirs.replica_epoch = self.replica_epoch.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FetchTopic> for ours::FetchTopic {
    fn to_oracle(&self, version: i16) -> theirs::FetchTopic {
        let mut theirs = theirs::FetchTopic::default();
        if version <= 12 {
            theirs.topic = self.topic.to_oracle(version);
        }
        if version >= 13 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FetchPartition> for ours::FetchPartition {
    fn to_oracle(&self, version: i16) -> theirs::FetchPartition {
        let mut theirs = theirs::FetchPartition::default();
        theirs.partition = self.partition.to_oracle(version);
        if version >= 9 {
            theirs.current_leader_epoch = self.current_leader_epoch.to_oracle(version);
        }
        theirs.fetch_offset = self.fetch_offset.to_oracle(version);
        if version >= 12 {
            theirs.last_fetched_epoch = self.last_fetched_epoch.to_oracle(version);
        }
        if version >= 5 {
            theirs.log_start_offset = self.log_start_offset.to_oracle(version);
        }
        theirs.partition_max_bytes = self.partition_max_bytes.to_oracle(version);
        if version >= 17 {
            theirs.replica_directory_id = self.replica_directory_id.to_oracle(version);
        }
        if version >= 18 {
            theirs.high_watermark = self.high_watermark.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ForgottenTopic> for ours::ForgottenTopic {
    fn to_oracle(&self, version: i16) -> theirs::ForgottenTopic {
        let mut theirs = theirs::ForgottenTopic::default();
        if version <= 12 {
            theirs.topic = self.topic.to_oracle(version);
        }
        if version >= 13 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
