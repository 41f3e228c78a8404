// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddPartitionsToTxnRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::add_partitions_to_txn_request as theirs;
use precursor_protocol::messages::add_partitions_to_txn_request as ours;

impl ToOracle<theirs::AddPartitionsToTxnRequest> for ours::AddPartitionsToTxnRequest {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnRequest {
        let mut theirs = theirs::AddPartitionsToTxnRequest::default();
        if version >= 4 {
            theirs.transactions = self.transactions.to_oracle(version);
        }
        if version <= 3 {
            theirs.v3_and_below_transactional_id =
                self.v3_and_below_transactional_id.to_oracle(version);
        }
        if version <= 3 {
            theirs.v3_and_below_producer_id = self.v3_and_below_producer_id.to_oracle(version);
        }
        if version <= 3 {
            theirs.v3_and_below_producer_epoch =
                self.v3_and_below_producer_epoch.to_oracle(version);
        }
        if version <= 3 {
            theirs.v3_and_below_topics = self.v3_and_below_topics.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AddPartitionsToTxnTransaction> for ours::AddPartitionsToTxnTransaction {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnTransaction {
        let mut theirs = theirs::AddPartitionsToTxnTransaction::default();
        theirs.transactional_id = self.transactional_id.to_oracle(version);
        theirs.producer_id = self.producer_id.to_oracle(version);
        theirs.producer_epoch = self.producer_epoch.to_oracle(version);
        theirs.verify_only = self.verify_only.to_oracle(version);
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AddPartitionsToTxnTopic> for ours::AddPartitionsToTxnTopic {
    fn to_oracle(&self, version: i16) -> theirs::AddPartitionsToTxnTopic {
        let mut theirs = theirs::AddPartitionsToTxnTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partitions = self.partitions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
