// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetFetchResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_fetch_response::*;

impl Random for OffsetFetchResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 3 { s.int32() } else { 0 };
        let topics = if version <= 7 {
            s.array(|s| OffsetFetchResponseTopic::random(s, version))
        } else {
            Vec::new()
        };
        let error_code = if (2..=7).contains(&version) {
            s.int16()
        } else {
            0
        };
        let groups = if version >= 8 {
            s.array(|s| OffsetFetchResponseGroup::random(s, version))
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        OffsetFetchResponse {
            throttle_time_ms,
            topics,
            error_code,
            groups,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchResponseTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partitions = s.array(|s| OffsetFetchResponsePartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        OffsetFetchResponseTopic {
            name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchResponsePartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let committed_offset = s.int64();
        let committed_leader_epoch = if version >= 5 { s.int32() } else { -1 };
        let metadata = s.option(true, |s| s.string());
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        OffsetFetchResponsePartition {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchResponseGroup {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let topics = s.array(|s| OffsetFetchResponseTopics::random(s, version));
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        OffsetFetchResponseGroup {
            group_id,
            topics,
            error_code,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchResponseTopics {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = if version <= 9 {
            s.string()
        } else {
            String::new()
        };
        let topic_id = if version >= 10 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let partitions = s.array(|s| OffsetFetchResponsePartitions::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        OffsetFetchResponseTopics {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchResponsePartitions {
    fn random(s: &mut Source, _version: i16) -> Self {
        let partition_index = s.int32();
        let committed_offset = s.int64();
        let committed_leader_epoch = s.int32();
        let metadata = s.option(true, |s| s.string());
        let error_code = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        OffsetFetchResponsePartitions {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
            unknown_tagged_fields,
        }
    }
}
