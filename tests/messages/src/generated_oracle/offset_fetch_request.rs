// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetFetchRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::offset_fetch_request as theirs;
use precursor_protocol::messages::offset_fetch_request as ours;

impl ToOracle<theirs::OffsetFetchRequest> for ours::OffsetFetchRequest {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchRequest {
        let mut theirs = theirs::OffsetFetchRequest::default();
        if version <= 7 {
            theirs.group_id = self.group_id.to_oracle(version);
        }
        if version <= 7 {
            theirs.topics = self.topics.to_oracle(version);
        }
        if version >= 8 {
            theirs.groups = self.groups.to_oracle(version);
        }
        if version >= 7 {
            theirs.require_stable = self.require_stable.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchRequestTopic> for ours::OffsetFetchRequestTopic {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchRequestTopic {
        let mut theirs = theirs::OffsetFetchRequestTopic::default();
        theirs.name = self.name.to_oracle(version);
        theirs.partition_indexes = self.partition_indexes.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchRequestGroup> for ours::OffsetFetchRequestGroup {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchRequestGroup {
        let mut theirs = theirs::OffsetFetchRequestGroup::default();
        theirs.group_id = self.group_id.to_oracle(version);
        if version >= 9 {
            theirs.member_id = self.member_id.to_oracle(version);
        }
        if version >= 9 {
            theirs.member_epoch = self.member_epoch.to_oracle(version);
        }
        theirs.topics = self.topics.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::OffsetFetchRequestTopics> for ours::OffsetFetchRequestTopics {
    fn to_oracle(&self, version: i16) -> theirs::OffsetFetchRequestTopics {
        let mut theirs = theirs::OffsetFetchRequestTopics::default();
        if version <= 9 {
            theirs.name = self.name.to_oracle(version);
        }
        if version >= 10 {
            theirs.topic_id = self.topic_id.to_oracle(version);
        }
        theirs.partition_indexes = self.partition_indexes.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}
