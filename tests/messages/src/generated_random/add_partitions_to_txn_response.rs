// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AddPartitionsToTxnResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::add_partitions_to_txn_response::*;

impl Random for AddPartitionsToTxnResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = if version >= 4 { s.int16() } else { 0 };
        let results_by_transaction = if version >= 4 {
            s.array(|s| AddPartitionsToTxnResult::random(s, version))
        } else {
            Vec::new()
        };
        let results_by_topic_v3_and_below = if version <= 3 {
            s.array(|s| AddPartitionsToTxnTopicResult::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddPartitionsToTxnResponse {
            throttle_time_ms,
            error_code,
            results_by_transaction,
            results_by_topic_v3_and_below,
            unknown_tagged_fields,
        }
    }
}

impl Random for AddPartitionsToTxnResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let transactional_id = s.string();
        let topic_results = s.array(|s| AddPartitionsToTxnTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AddPartitionsToTxnResult {
            transactional_id,
            topic_results,
            unknown_tagged_fields,
        }
    }
}

impl Random for AddPartitionsToTxnTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let results_by_partition =
            s.array(|s| AddPartitionsToTxnPartitionResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddPartitionsToTxnTopicResult {
            name,
            results_by_partition,
            unknown_tagged_fields,
        }
    }
}

impl Random for AddPartitionsToTxnPartitionResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let partition_error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        AddPartitionsToTxnPartitionResult {
            partition_index,
            partition_error_code,
            unknown_tagged_fields,
        }
    }
}
