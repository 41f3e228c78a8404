// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTransactionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_transactions_response as theirs;
use precursor_protocol::messages::describe_transactions_response as ours;

impl ToOracle<theirs::DescribeTransactionsResponse> for ours::DescribeTransactionsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeTransactionsResponse {
        let mut theirs = theirs::DescribeTransactionsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.transaction_states = self.transaction_states.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TransactionState> for ours::TransactionState {
    fn to_oracle(&self, version: i16) -> theirs::TransactionState {
        let mut theirs = theirs::TransactionState::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.transaction_state = self.transaction_state.to_oracle(version);
        theirs.transaction_timeout_ms = self.transaction_timeout_ms.to_oracle(version);
        theirs.transaction_start_time_ms = self.transaction_start_time_ms.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::TopicData> for ours::TopicData {
    fn to_oracle(&self, version: i16) -> theirs::TopicData {
        let mut theirs = theirs::TopicData::default();
        theirs.topic = self.topic.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
