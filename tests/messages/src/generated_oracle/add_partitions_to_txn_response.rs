// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddPartitionsToTxnResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::add_partitions_to_txn_response as theirs;
use precursor_protocol::messages::add_partitions_to_txn_response as ours;

impl ToOracle<theirs::AddPartitionsToTxnResponse> for ours::AddPartitionsToTxnResponse {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnResponse {
        let mut theirs = theirs::AddPartitionsToTxnResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        if version >= 4 {
            theirs.error_code = self.error_code.to_oracle(version);
        }
        if version >= 4 {
            theirs.results_by_transaction = self.results_by_transaction.to_oracle(version);
        }
        if version <= 3 {
            theirs.results_by_topic_v3_and_below =
                self.results_by_topic_v3_and_below.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AddPartitionsToTxnResult> for ours::AddPartitionsToTxnResult {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnResult {
        let mut theirs = theirs::AddPartitionsToTxnResult::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.topic_results = self.topic_results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AddPartitionsToTxnTopicResult> for ours::AddPartitionsToTxnTopicResult {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnTopicResult {
        let mut theirs = theirs::AddPartitionsToTxnTopicResult::default();
        theirs.name = self.name.to_oracle(version);
        theirs.results_by_partition = self.results_by_partition.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AddPartitionsToTxnPartitionResult>
    for ours::AddPartitionsToTxnPartitionResult
{
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnPartitionResult {
        let mut theirs = theirs::AddPartitionsToTxnPartitionResult::default();
        theirs.partition_index = self.partition_index.to_oracle(version);
        theirs.partition_error_code = self.partition_error_code.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
