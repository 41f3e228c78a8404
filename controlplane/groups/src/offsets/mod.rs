//! Committed offsets of one group.

mod commit;
mod fetch;
mod remove;

pub(crate) use commit::refused as commit_refused;
pub(crate) use fetch::{fetch, refused as fetch_refused};

use crate::records::OffsetValue;
use crate::topics::Topics;
use crate::turn::NewOffset;
use precursor_model::TopicId;
use std::collections::BTreeMap;

/// A group's committed offsets, by topic and partition. Topics are numbers of [`Topics`], of which
/// every entry holds one use.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    entries: BTreeMap<(u32, i32), CommittedOffset>,
}

/// What is known of one partition; what few offsets have is kept aside.
#[derive(Debug)]
pub(crate) struct CommittedOffset {
    pub(crate) offset: i64,
    pub(crate) commit_timestamp_ms: i64,
    pub(crate) leader_epoch: i32,
    extra: Option<Box<Extra>>,
}

#[derive(Debug)]
struct Extra {
    metadata: Box<str>,
    expire_timestamp_ms: i64,
    /// A number of [`Topics::ids`], and one use of it.
    topic_id: Option<u32>,
}

impl CommittedOffset {
    pub(crate) fn metadata(&self) -> &str {
        self.extra.as_ref().map_or("", |extra| &extra.metadata)
    }

    /// When the offset expires by its own word (OffsetCommit before version 5), if it has one.
    pub(crate) fn expire_timestamp_ms(&self) -> Option<i64> {
        let extra = self.extra.as_ref()?;
        Some(extra.expire_timestamp_ms).filter(|at| *at != -1)
    }

    pub(crate) fn topic_id(&self, topics: &Topics) -> TopicId {
        let number = self.extra.as_ref().and_then(|extra| extra.topic_id);
        number.map_or(TopicId::ZERO, |number| *topics.ids.value(number))
    }
}

impl Offsets {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, topic: u32, partition: i32) -> Option<&CommittedOffset> {
        self.entries.get(&(topic, partition))
    }

    /// In order of the topics' numbers, then of partitions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, i32, &CommittedOffset)> {
        self.entries
            .iter()
            .map(|((topic, partition), offset)| (*topic, *partition, offset))
    }

    pub(crate) fn of_topic(&self, topic: u32) -> impl Iterator<Item = i32> {
        self.entries
            .range((topic, i32::MIN)..=(topic, i32::MAX))
            .map(|((_, partition), _)| *partition)
    }

    pub(crate) fn set(
        &mut self,
        topics: &mut Topics,
        topic: &str,
        partition: i32,
        value: &OffsetValue<'_>,
    ) {
        let number = topics.names.acquire(topic, |name| name.into());
        let topic_id = (value.topic_id != TopicId::ZERO)
            .then(|| topics.ids.acquire(&value.topic_id, |id| *id));
        let plain =
            value.metadata.is_empty() && value.expire_timestamp_ms == -1 && topic_id.is_none();
        let extra = (!plain).then(|| {
            Box::new(Extra {
                metadata: value.metadata.into(),
                expire_timestamp_ms: value.expire_timestamp_ms,
                topic_id,
            })
        });
        let offset = CommittedOffset {
            offset: value.offset,
            commit_timestamp_ms: value.commit_timestamp_ms,
            leader_epoch: value.leader_epoch,
            extra,
        };
        if let Some(old) = self.entries.insert((number, partition), offset) {
            topics.names.release(number);
            release_extra(topics, &old);
        }
    }

    pub(crate) fn remove(&mut self, topics: &mut Topics, topic: &str, partition: i32) {
        let Some(number) = topics.names.find(topic) else {
            return;
        };
        if let Some(old) = self.entries.remove(&(number, partition)) {
            topics.names.release(number);
            release_extra(topics, &old);
        }
    }
}

fn release_extra(topics: &mut Topics, offset: &CommittedOffset) {
    let topic_id = offset.extra.as_ref().and_then(|extra| extra.topic_id);
    if let Some(number) = topic_id {
        topics.ids.release(number);
    }
}

impl NewOffset {
    pub(crate) fn value(&self) -> OffsetValue<'_> {
        OffsetValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.as_deref().unwrap_or_default(),
            commit_timestamp_ms: self.commit_timestamp_ms,
            expire_timestamp_ms: self.expire_timestamp_ms,
            topic_id: self.topic_id,
        }
    }
}
