// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteRecordsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_records_response::*;

impl Random for DeleteRecordsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let topics = s.array(|s| DeleteRecordsTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsResponse {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteRecordsTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| DeleteRecordsPartitionResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsTopicResult {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteRecordsPartitionResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let low_watermark = s.int64();
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsPartitionResult {
            partition_index,
            low_watermark,
            error_code,
            unknown_tagged_fields,
        }
    }
}
