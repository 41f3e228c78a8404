// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetForLeaderEpochRequest, API key 23, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::offset_for_leader_epoch_request as owned;
use crate::read::{Items, ReadView, Reader};

/// [`owned::OffsetForLeaderEpochRequest`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct OffsetForLeaderEpochRequestView<'a> {
    pub replica_id: i32,
    pub topics: Items<'a, OffsetForLeaderTopicView<'a>>,
}

impl Default for OffsetForLeaderEpochRequestView<'_> {
    fn default() -> Self {
        Self {
            replica_id: -2,
            topics: Items::default(),
        }
    }
}

impl<'a> ReadView<'a> for OffsetForLeaderEpochRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let replica_id = if version >= 3 { r.int32()? } else { -2 };
        let topics = r.items()?;
        r.skip_tags()?;
        Ok(Self { replica_id, topics })
    }
}

impl OffsetForLeaderEpochRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::OffsetForLeaderEpochRequest {
        owned::OffsetForLeaderEpochRequest {
            replica_id: self.replica_id,
            topics: self.topics.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::OffsetForLeaderTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct OffsetForLeaderTopicView<'a> {
    pub topic: &'a str,
    pub partitions: Items<'a, OffsetForLeaderPartitionView>,
}

impl<'a> ReadView<'a> for OffsetForLeaderTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let topic = r.str()?;
        let partitions = r.items()?;
        r.skip_tags()?;
        Ok(Self { topic, partitions })
    }
}

impl OffsetForLeaderTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::OffsetForLeaderTopic {
        owned::OffsetForLeaderTopic {
            topic: self.topic.to_owned(),
            partitions: self.partitions.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::OffsetForLeaderPartition`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct OffsetForLeaderPartitionView {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
}

impl Default for OffsetForLeaderPartitionView {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            leader_epoch: 0,
        }
    }
}

impl<'a> ReadView<'a> for OffsetForLeaderPartitionView {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let partition = r.int32()?;
        let current_leader_epoch = r.int32()?;
        let leader_epoch = r.int32()?;
        r.skip_tags()?;
        Ok(Self {
            partition,
            current_leader_epoch,
            leader_epoch,
        })
    }
}

impl OffsetForLeaderPartitionView {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::OffsetForLeaderPartition {
        owned::OffsetForLeaderPartition {
            partition: self.partition,
            current_leader_epoch: self.current_leader_epoch,
            leader_epoch: self.leader_epoch,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> OffsetForLeaderEpochRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::OffsetForLeaderEpochRequest::VERSION_MIN
            ..=owned::OffsetForLeaderEpochRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 4);
        Self::read_view(&mut r)
    }
}
