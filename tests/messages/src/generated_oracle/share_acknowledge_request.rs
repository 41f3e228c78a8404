// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareAcknowledgeRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_acknowledge_request as theirs;
use precursor_protocol::messages::share_acknowledge_request as ours;

impl ToOracle<theirs::ShareAcknowledgeRequest> for ours::ShareAcknowledgeRequest {
    fn to_oracle(&self, version: i16) -> theirs::ShareAcknowledgeRequest {
        let mut theirs = theirs::ShareAcknowledgeRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.share_session_epoch = self.share_session_epoch.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AcknowledgeTopic> for ours::AcknowledgeTopic {
    fn to_oracle(&self, version: i16) -> theirs::AcknowledgeTopic {
        let mut theirs = theirs::AcknowledgeTopic::default();
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AcknowledgePartition> for ours::AcknowledgePartition {
    fn to_oracle(&self, version: i16) -> theirs::AcknowledgePartition {
        let mut theirs = theirs::AcknowledgePartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.acknowledgement_batches = self.acknowledgement_batches.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AcknowledgementBatch> for ours::AcknowledgementBatch {
    fn to_oracle(&self, version: i16) -> theirs::AcknowledgementBatch {
        let mut theirs = theirs::AcknowledgementBatch::default();
        theirs.first_offset = self.first_offset.to_oracle(version);
        theirs.last_offset = self.last_offset.to_oracle(version);
        theirs.acknowledge_types = self.acknowledge_types.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
