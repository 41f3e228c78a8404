//! From a topic's name to the log that serves it, or the reason why none does.

use crate::core::Core;
use crate::image::{Partition, Topic};
use precursor_model::{ErrorCode, LogUid, TopicId};
use precursor_storage::{LogId, LogState};

/// Where a partition's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local(LogId),
    Remote { shard: u16, log: LogUid },
}

/// How a request names a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopicRef<'a> {
    Name(&'a str),
    /// Produce and Fetch from version 13 (KIP-516).
    Id(TopicId),
}

/// A topic that the image knows.
///
/// # Errors
/// The code for each of its partitions: a name may still be made, an id that is gone does not
/// come back.
pub(crate) fn find_topic<'i>(core: &'i Core, topic: TopicRef<'_>) -> Result<&'i Topic, ErrorCode> {
    match topic {
        TopicRef::Name(name) => core
            .image
            .topic(name)
            .ok_or(ErrorCode::UnknownTopicOrPartition),
        TopicRef::Id(id) => core.image.topic_by_id(id).ok_or(ErrorCode::UnknownTopicId),
    }
}

/// A partition that the image knows, and its topic.
///
/// # Errors
/// The code for the partition's answer.
pub(crate) fn find_partition<'i>(
    core: &'i Core,
    topic: TopicRef<'_>,
    partition: i32,
) -> Result<(&'i Topic, &'i Partition), ErrorCode> {
    let topic = find_topic(core, topic)?;
    let index = usize::try_from(partition).ok();
    let found = index.and_then(|index| topic.partitions.get(index));
    let found = found.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok((topic, found))
}

/// Finds the log of a partition that this broker leads.
///
/// `known_epoch` is the leader epoch that the client believes in, -1 for none (KIP-320).
///
/// # Errors
/// The code for the partition's answer.
pub(crate) fn locate(
    core: &Core,
    topic: TopicRef<'_>,
    partition: i32,
    known_epoch: i32,
) -> Result<Place, ErrorCode> {
    let (_, found) = find_partition(core, topic, partition)?;
    if found.leader != core.image.node_id {
        return Err(ErrorCode::NotLeaderOrFollower);
    }
    if known_epoch >= 0 && known_epoch != found.leader_epoch {
        return Err(if known_epoch < found.leader_epoch {
            ErrorCode::FencedLeaderEpoch
        } else {
            ErrorCode::UnknownLeaderEpoch
        });
    }
    let Some(log) = found.log else {
        return Err(ErrorCode::NotLeaderOrFollower);
    };
    if found.shard != core.options.shard {
        return Ok(Place::Remote {
            shard: found.shard,
            log,
        });
    }
    let local = found.local.ok_or(ErrorCode::NotLeaderOrFollower)?;
    online(core, local).map(Place::Local)
}

/// The log, if it is served.
///
/// While it recovers the answer is NOT_LEADER_OR_FOLLOWER: of the codes that mean "ask again", the
/// one that every client knows in every response (the Java consumer takes LEADER_NOT_AVAILABLE in
/// a Fetch response for a broken broker).
pub(crate) fn online(core: &Core, log: LogId) -> Result<LogId, ErrorCode> {
    match core.store.state(log) {
        LogState::Online => Ok(log),
        LogState::Opening => Err(ErrorCode::NotLeaderOrFollower),
        LogState::Offline(code) => Err(code),
    }
}
