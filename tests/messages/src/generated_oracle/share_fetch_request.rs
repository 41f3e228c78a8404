// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareFetchRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::share_fetch_request as theirs;
use precursor_protocol::messages::share_fetch_request as ours;

impl ToOracle<theirs::ShareFetchRequest> for ours::ShareFetchRequest {
    fn to_oracle(&self, version: i16) -> theirs::ShareFetchRequest {
        let mut theirs = theirs::ShareFetchRequest::default();
        theirs.group_id = self.group_id.to_oracle(version);
        theirs.member_id = self.member_id.to_oracle(version);
        theirs.share_session_epoch = self.share_session_epoch.to_oracle(version);
        theirs.max_wait_ms = self.max_wait_ms.to_oracle(version);
        theirs.min_bytes = self.min_bytes.to_oracle(version);
        theirs.max_bytes = self.max_bytes.to_oracle(version);
        theirs.max_records = self.max_records.to_oracle(version);
        theirs.batch_size = self.batch_size.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.forgotten_topics_data = self.forgotten_topics_data.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FetchTopic> for ours::FetchTopic {
    fn to_oracle(&self, version: i16) -> theirs::FetchTopic {
        let mut theirs = theirs::FetchTopic::default();
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FetchPartition> for ours::FetchPartition {
    fn to_oracle(&self, version: i16) -> theirs::FetchPartition {
        let mut theirs = theirs::FetchPartition::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        if false {
            theirs.partition_max_bytes = self.partition_max_bytes.to_oracle(version);
        }
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

impl ToOracle<theirs::ForgottenTopic> for ours::ForgottenTopic {
    fn to_oracle(&self, version: i16) -> theirs::ForgottenTopic {
        let mut theirs = theirs::ForgottenTopic::default();
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
