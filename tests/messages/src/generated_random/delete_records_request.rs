// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DeleteRecordsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::delete_records_request::*;

impl Random for DeleteRecordsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.array(|s| DeleteRecordsTopic::random(s, version));
        let timeout_ms = s.int32();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsRequest {
            topics,
            timeout_ms,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteRecordsTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| DeleteRecordsPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for DeleteRecordsPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let offset = s.int64();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DeleteRecordsPartition {
            partition_index,
            offset,
            unknown_tagged_fields,
        }
    }
}
