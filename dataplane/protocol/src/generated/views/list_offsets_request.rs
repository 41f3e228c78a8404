// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListOffsetsRequest, API key 2, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::list_offsets_request as owned;
use crate::read::{Items, ReadView, Reader};

/// [`owned::ListOffsetsRequest`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOffsetsRequestView<'a> {
    pub replica_id: i32,
    pub isolation_level: i8,
    pub topics: Items<'a, ListOffsetsTopicView<'a>>,
    pub timeout_ms: i32,
}

impl<'a> ReadView<'a> for ListOffsetsRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let replica_id = r.int32()?;
        let isolation_level = if version >= 2 { r.int8()? } else { 0 };
        let topics = r.items()?;
        let timeout_ms = if version >= 10 { r.int32()? } else { 0 };
        r.skip_tags()?;
        Ok(Self {
            replica_id,
            isolation_level,
            topics,
            timeout_ms,
        })
    }
}

impl ListOffsetsRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ListOffsetsRequest {
        owned::ListOffsetsRequest {
            replica_id: self.replica_id,
            isolation_level: self.isolation_level,
            topics: self.topics.map(|item| item.to_message()).collect(),
            timeout_ms: self.timeout_ms,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::ListOffsetsTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOffsetsTopicView<'a> {
    pub name: &'a str,
    pub partitions: Items<'a, ListOffsetsPartitionView>,
}

impl<'a> ReadView<'a> for ListOffsetsTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = r.str()?;
        let partitions = r.items()?;
        r.skip_tags()?;
        Ok(Self { name, partitions })
    }
}

impl ListOffsetsTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ListOffsetsTopic {
        owned::ListOffsetsTopic {
            name: self.name.to_owned(),
            partitions: self.partitions.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::ListOffsetsPartition`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct ListOffsetsPartitionView {
    pub partition_index: i32,
    pub current_leader_epoch: i32,
    pub timestamp: i64,
}

impl Default for ListOffsetsPartitionView {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
        }
    }
}

impl<'a> ReadView<'a> for ListOffsetsPartitionView {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let current_leader_epoch = if version >= 4 { r.int32()? } else { -1 };
        let timestamp = r.int64()?;
        r.skip_tags()?;
        Ok(Self {
            partition_index,
            current_leader_epoch,
            timestamp,
        })
    }
}

impl ListOffsetsPartitionView {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ListOffsetsPartition {
        owned::ListOffsetsPartition {
            partition_index: self.partition_index,
            current_leader_epoch: self.current_leader_epoch,
            timestamp: self.timestamp,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> ListOffsetsRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::ListOffsetsRequest::VERSION_MIN..=owned::ListOffsetsRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 6);
        Self::read_view(&mut r)
    }
}
