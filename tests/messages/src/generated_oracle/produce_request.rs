// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ProduceRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::produce_request as theirs;
use precursor_protocol::messages::produce_request as ours;

impl ToOracle<theirs::ProduceRequest> for ours::ProduceRequest {
    fn to_oracle(&self, version: i16) -> theirs::ProduceRequest {
        let mut theirs = theirs::ProduceRequest::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.acks = self.acks.to_oracle(version);
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.topic_data = self.topic_data.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicProduceData> for ours::TopicProduceData {
    fn to_oracle(&self, version: i16) -> theirs::TopicProduceData {
        let mut theirs = theirs::TopicProduceData::default();
        if version <= 12 {
            theirs.name = self.name.to_oracle(version);
        }
        if version >= 13 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partition_data = self.partition_data.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::PartitionProduceData> for ours::PartitionProduceData {
    fn to_oracle(&self, version: i16) -> theirs::PartitionProduceData {
        let mut theirs = theirs::PartitionProduceData::default();
        theirs.index = self.index.to_oracle(version);
        theirs.records = self.records.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
