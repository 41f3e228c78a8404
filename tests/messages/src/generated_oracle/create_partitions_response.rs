// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreatePartitionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_partitions_response as theirs;
use precursor_protocol::messages::create_partitions_response as ours;

impl ToOracle<theirs::CreatePartitionsResponse> for ours::CreatePartitionsResponse {
    fn to_oracle(&self, version: i16) -> theirs::CreatePartitionsResponse {
        let mut theirs = theirs::CreatePartitionsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CreatePartitionsTopicResult> for ours::CreatePartitionsTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::CreatePartitionsTopicResult {
        let mut theirs = theirs::CreatePartitionsTopicResult::default();
        theirs.name = self.name.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
