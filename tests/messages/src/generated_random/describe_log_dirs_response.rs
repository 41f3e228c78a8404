// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeLogDirsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_log_dirs_response::*;

impl Random for DescribeLogDirsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = if version >= 3 { s.int16() } else { 0 };
        let results = s.array(|s| DescribeLogDirsResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeLogDirsResponse {
            throttle_time_ms,
            error_code,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeLogDirsResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let log_dir = s.string();
        let topics = s.array(|s| DescribeLogDirsTopic::random(s, version));
        let total_bytes = if version >= 4 { s.int64() } else { -1 };
        let usable_bytes = if version >= 4 { s.int64() } else { -1 };
        let is_cordoned = if version >= 5 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeLogDirsResult {
            error_code,
            log_dir,
            topics,
            total_bytes,
            usable_bytes,
            is_cordoned,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeLogDirsTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| DescribeLogDirsPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeLogDirsTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeLogDirsPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let partition_size = s.int64();
        let offset_lag = s.int64();
        let is_future_key = s.bool();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeLogDirsPartition {
            partition_index,
            partition_size,
            offset_lag,
            is_future_key,
            unknown_tagged_fields,
        }
    }
}
