// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeTransactionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_transactions_response::*;

impl Random for DescribeTransactionsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let transaction_states = s.array(|s| TransactionState::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeTransactionsResponse {
            throttle_time_ms,
            transaction_states,
            unknown_tagged_fields,
        }
    }
}

impl Random for TransactionState {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let transactional_id = s.string();
        let transaction_state = s.string();
        let transaction_timeout_ms = s.int32();
        let transaction_start_time_ms = s.int64();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let topics = s.array(|s| TopicData::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        TransactionState {
            error_code,
            transactional_id,
            transaction_state,
            transaction_timeout_ms,
            transaction_start_time_ms,
            producer_id,
            producer_epoch,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicData {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic = s.string();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        TopicData {
            topic,
            partitions,
            unknown_tagged_fields,
        }
    }
}
