// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteTopicsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_topics_request as theirs;
use precursor_protocol::messages::delete_topics_request as ours;

impl ToOracle<theirs::DeleteTopicsRequest> for ours::DeleteTopicsRequest {
    fn to_oracle(&self, version: i16) -> theirs::DeleteTopicsRequest {
        let mut theirs = theirs::DeleteTopicsRequest::default();
        if version >= 6 {
            theirs.topics = self.topics.to_oracle(version);
        }
        if version <= 5 {
            theirs.topic_names = self.topic_names.to_oracle(version);
        }
        theirs.timeout_ms = self.timeout_ms.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteTopicState> for ours::DeleteTopicState {
    fn to_oracle(&self, version: i16) -> theirs::DeleteTopicState {
        let mut theirs = theirs::DeleteTopicState::default();
        theirs.name = self.name.to_oracle(version);
        theirs.topic_id = self.topic_id.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
