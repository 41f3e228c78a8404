// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random OffsetFetchRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::offset_fetch_request::*;

impl Random for OffsetFetchRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = if version <= 7 {
            s.string()
        } else {
            String::new()
        };
        let topics = if version <= 7 {
            s.option(version >= 2, |s| {
                s.array(|s| OffsetFetchRequestTopic::random(s, version))
            })
        } else {
            None
        };
        let groups = if version >= 8 {
            s.array(|s| OffsetFetchRequestGroup::random(s, version))
        } else {
            Vec::new()
        };
        let require_stable = if version >= 7 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        OffsetFetchRequest {
            group_id,
            topics,
            groups,
            require_stable,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchRequestTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let partition_indexes = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 6, 0);
        OffsetFetchRequestTopic {
            name,
            partition_indexes,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchRequestGroup {
    fn random(s: &mut Source, version: i16) -> Self {
        let group_id = s.string();
        let member_id = if version >= 9 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let member_epoch = if version >= 9 { s.int32() } else { -1 };
        let topics = s.option(true, |s| {
            s.array(|s| OffsetFetchRequestTopics::random(s, version))
        });
        let unknown_tagged_fields = s.tags(true, 0);
        OffsetFetchRequestGroup {
            group_id,
            member_id,
            member_epoch,
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for OffsetFetchRequestTopics {
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
        let partition_indexes = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        OffsetFetchRequestTopics {
            name,
            topic_id,
            partition_indexes,
            unknown_tagged_fields,
        }
    }
}
