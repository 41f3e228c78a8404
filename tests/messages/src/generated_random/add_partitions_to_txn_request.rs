// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AddPartitionsToTxnRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::add_partitions_to_txn_request::*;

impl Random for AddPartitionsToTxnRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactions = if version >= 4 {
            s.array(|s| AddPartitionsToTxnTransaction::random(s, version))
        } else {
            Vec::new()
        };
        let v3_and_below_transactional_id = if version <= 3 {
            s.string()
        } else {
            String::new()
        };
        let v3_and_below_producer_id = if version <= 3 { s.int64() } else { 0 };
        let v3_and_below_producer_epoch = if version <= 3 { s.int16() } else { 0 };
        let v3_and_below_topics = if version <= 3 {
            s.array(|s| AddPartitionsToTxnTopic::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddPartitionsToTxnRequest {
            transactions,
            v3_and_below_transactional_id,
            v3_and_below_producer_id,
            v3_and_below_producer_epoch,
            v3_and_below_topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for AddPartitionsToTxnTransaction {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.string();
        let producer_id = s.int64();
        let producer_epoch = s.int16();
        let verify_only = s.bool();
        let topics = s.array(|s| AddPartitionsToTxnTopic::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AddPartitionsToTxnTransaction {
            transactional_id,
            producer_id,
            producer_epoch,
            verify_only,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for AddPartitionsToTxnTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddPartitionsToTxnTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}
