// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! MetadataResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::metadata_response as theirs;
use precursor_protocol::messages::metadata_response as ours;

impl ToOracle<theirs::MetadataResponse> for ours::MetadataResponse {
    fn to_oracle(&self, version: i16) -> theirs::MetadataResponse {
        let mut theirs = theirs::MetadataResponse::default();
        if version >= 3 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        theirs.brokers = self.brokers.to_oracle(version);
        if version >= 2 {
            theirs.cluster_id = self.cluster_id.to_oracle(version);
        }
        if version >= 1 {
            theirs.controller_id = self.controller_id.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        if (8..=10).contains(&version) {
            theirs.cluster_authorized_operations =
                self.cluster_authorized_operations.to_oracle(version);
        }
        if version >= 13 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MetadataResponseBroker> for ours::MetadataResponseBroker {
    fn to_oracle(&self, version: i16) -> theirs::MetadataResponseBroker {
        let mut theirs = theirs::MetadataResponseBroker::default();
        theirs.node_id = self.node_id.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.port = self.port.to_oracle(version);
        if version >= 1 {
            theirs.rack = self.rack.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MetadataResponseTopic> for ours::MetadataResponseTopic {
    fn to_oracle(&self, version: i16) -> theirs::MetadataResponseTopic {
        let mut theirs = theirs::MetadataResponseTopic::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.name = self.name.to_oracle(version);
        if version >= 10 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        if version >= 1 {
            theirs.is_internal = self.is_internal.to_oracle(version);
        }
        theirs.partitions = self.partitions.to_oracle(version);
        if version >= 8 {
            theirs.topic_authorized_operations =
                self.topic_authorized_operations.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::MetadataResponsePartition> for ours::MetadataResponsePartition {
    fn to_oracle(&self, version: i16) -> theirs::MetadataResponsePartition {
        let mut theirs = theirs::MetadataResponsePartition::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.leader_id = self.leader_id.to_oracle(version);
        if version >= 7 {
            theirs.leader_epoch = self.leader_epoch.to_oracle(version);
        }
        theirs.replica_nodes = self.replica_nodes.to_oracle(version);
        theirs.isr_nodes = self.isr_nodes.to_oracle(version);
        if version >= 5 {
            theirs.offline_replicas = self.offline_replicas.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
