// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreatePartitionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_partitions_request as theirs;
use precursor_protocol::messages::create_partitions_request as ours;

impl ToOracle<theirs::CreatePartitionsRequest> for ours::CreatePartitionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::CreatePartitionsRequest {
        let mut theirs = theirs::CreatePartitionsRequest::default();
        theirs.topics = self.topics.to_oracle(version);
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.validate_only = self.validate_only.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatePartitionsTopic> for ours::CreatePartitionsTopic {
    fn to_oracle(&self, version: i16) -> theirs::CreatePartitionsTopic {
        let mut theirs = theirs::CreatePartitionsTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.count = self.count.to_oracle(version);
        theirs.assignments = self.assignments.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatePartitionsAssignment> for ours::CreatePartitionsAssignment {
    fn to_oracle(&self, version: i16) -> theirs::CreatePartitionsAssignment {
        let mut theirs = theirs::CreatePartitionsAssignment::default();
        theirs.broker_ids = self.broker_ids.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
