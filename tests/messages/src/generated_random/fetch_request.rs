// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random FetchRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::fetch_request::*;

impl Random for FetchRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let cluster_id = if version >= 12 {
            if s.bool() {
                s.option(true, |s| s.string())
            } else {
                None
            }
        } else {
            None
        };
        let replica_id = if version <= 14 { s.int32() } else { -1 };
        let replica_state = if version >= 15 {
            if s.bool() {
                ReplicaState::random(s, version)
            } else {
                ReplicaState::default()
            }
        } else {
            ReplicaState::default()
        };
        let max_wait_ms = s.int32();
        let min_bytes = s.int32();
        let max_bytes = s.int32();
        let isolation_level = s.int8();
        let session_id = if version >= 7 { s.int32() } else { 0 };
        let session_epoch = if version >= 7 { s.int32() } else { -1 };
        let topics = s.array(|s| FetchTopic::random(s, version));
        let forgotten_topics_data = if version >= 7 {
            s.array(|s| ForgottenTopic::random(s, version))
        } else {
            Vec::new()
        };
        let rack_id = if version >= 11 {
            s.string()
        } else {
            String::new()
        };
        let unknown_tagged_fields = s.tags(version >= 12, 2);
        FetchRequest {
            cluster_id,
            replica_id,
            replica_state,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            forgotten_topics_data,
            rack_id,
            unknown_tagged_fields,
        }
    }
}

impl Random for ReplicaState {
    fn random(s: &mut Source, _version: i16) -> Self {
        let replica_id = s.int32();
        let replica_epoch = s.int64();
        let unknown_tagged_fields = s.tags(true, 0);
        ReplicaState {
            replica_id,
            replica_epoch,
            unknown_tagged_fields,
        }
    }
}

impl Random for FetchTopic {
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
        let partitions = s.array(|s| FetchPartition::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 12, 0);
        FetchTopic {
            topic,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for FetchPartition {
    fn random(s: &mut Source, version: i16) -> Self {
        let partition = s.int32();
        let current_leader_epoch = if version >= 9 { s.int32() } else { -1 };
        let fetch_offset = s.int64();
        let last_fetched_epoch = if version >= 12 { s.int32() } else { -1 };
        let log_start_offset = if version >= 5 { s.int64() } else { -1 };
        let partition_max_bytes = s.int32();
        let replica_directory_id = if version >= 17 {
            if s.bool() { s.uuid() } else { [0; 16] }
        } else {
            [0; 16]
        };
        let high_watermark = if version >= 18 {
            if s.bool() { s.int64() } else { i64::MAX }
        } else {
            i64::MAX
        };
        let unknown_tagged_fields = s.tags(version >= 12, 2);
        FetchPartition {
            partition,
            current_leader_epoch,
            fetch_offset,
            last_fetched_epoch,
            log_start_offset,
            partition_max_bytes,
            replica_directory_id,
            high_watermark,
            unknown_tagged_fields,
        }
    }
}

impl Random for ForgottenTopic {
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
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 12, 0);
        ForgottenTopic {
            topic,
            topic_id,
            partitions,
            unknown_tagged_fields,
        }
    }
}
