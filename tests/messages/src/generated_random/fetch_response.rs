// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random FetchResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::fetch_response::*;

impl Random for FetchResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = if version >= 7 { s.int16() } else { 0 };
        let session_id = if version >= 7 { s.int32() } else { 0 };
        let responses = s.array(|s| FetchableTopicResponse::random(s, version));
        let node_endpoints = if version >= 16 {
            if s.bool() {
                s.array(|s| NodeEndpoint::random(s, version))
            } else {
                Vec::new()
            }
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(version >= 12, 1);
        FetchResponse {
            throttle_time_ms,
            error_code,
            session_id,
            responses,
            node_endpoints,
            unknown_tagged_fields,
        }
    }
}

impl Random for FetchableTopicResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = if version <= 12 {
            s.string()
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            s.topic_id()
        } else {
            precursor_model::TopicId::ZERO
        };
        let partitions = s.array(|s| PartitionData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 12, 0);
        FetchableTopicResponse {
            topic,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for PartitionData {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition_index = s.int32();
        let error_code = s.int16();
        let high_watermark = s.int64();
        let last_stable_offset = s.int64();
        let log_start_offset = if version >= 5 { s.int64() } else { -1 };
        let diverging_epoch = if version >= 12 {
            if s.bool() {
                EpochEndOffset::random(s, version)
            } else {
                EpochEndOffset::default()
            }
        } else {
            EpochEndOffset::default()
        };
        let current_leader = if version >= 12 {
            if s.bool() {
                LeaderIdAndEpoch::random(s, version)
            } else {
                LeaderIdAndEpoch::default()
            }
        } else {
            LeaderIdAndEpoch::default()
        };
        let snapshot_id = if version >= 12 {
            if s.bool() {
                SnapshotId::random(s, version)
            } else {
                SnapshotId::default()
            }
        } else {
            SnapshotId::default()
        };
        let aborted_transactions = s.option(true, |s| {
            s.array(|s| AbortedTransaction::random(s, version))
        });
        let preferred_read_replica = if version >= 11 { s.int32() } else { -1 };
        let records = s.option(true, |s| s.bytes());
        let unknown_tagged_fields = s.tags(version >= 12, 3);
        PartitionData {
            partition_index,
            error_code,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            diverging_epoch,
            current_leader,
            snapshot_id,
            aborted_transactions,
            preferred_read_replica,
            records,
            unknown_tagged_fields,
        }
    }
}

impl Random for EpochEndOffset {
    fn random(s: &mut Source, _version: i16) -> Self {
        let epoch = s.int32();
        let end_offset = s.int64();
        let unknown_tagged_fields = s.tags(true, 0);
        EpochEndOffset {
            epoch,
            end_offset,
            unknown_tagged_fields,
        }
    }
}

impl Random for LeaderIdAndEpoch {
    fn random(s: &mut Source, _version: i16) -> Self {
        let leader_id = s.int32();
        let leader_epoch = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        LeaderIdAndEpoch {
            leader_id,
            leader_epoch,
            unknown_tagged_fields,
        }
    }
}

impl Random for SnapshotId {
    fn random(s: &mut Source, _version: i16) -> Self {
        let end_offset = s.int64();
        let epoch = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        SnapshotId {
            end_offset,
            epoch,
            unknown_tagged_fields,
        }
    }
}

impl Random for AbortedTransaction {
    fn random(s: &mut Source, version: i16) -> Self {
        let producer_id = s.int64();
        let first_offset = s.int64();
        let unknown_tagged_fields = s.tags(version >= 12, 0);
        AbortedTransaction {
            producer_id,
            first_offset,
            unknown_tagged_fields,
        }
    }
}

impl Random for NodeEndpoint {
    fn random(s: &mut Source, _version: i16) -> Self {
        let node_id = s.int32();
        let host = s.string();
        let port = s.int32();
        let rack = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        NodeEndpoint {
            node_id,
            host,
            port,
            rack,
            unknown_tagged_fields,
        }
    }
}
