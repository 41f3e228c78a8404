// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteTopicsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_topics_response as theirs;
use precursor_protocol::messages::delete_topics_response as ours;

impl ToOracle<theirs::DeleteTopicsResponse> for ours::DeleteTopicsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DeleteTopicsResponse {
        let mut theirs = theirs::DeleteTopicsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.responses = self.responses.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeletableTopicResult> for ours::DeletableTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::DeletableTopicResult {
        let mut theirs = theirs::DeletableTopicResult::default();
        theirs.name = self.name.to_oracle(version);
        if version >= 6 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.error_code = self.error_code.to_oracle(version);
        if version >= 5 {
            theirs.error_message = self.error_message.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
