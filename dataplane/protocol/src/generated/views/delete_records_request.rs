// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteRecordsRequest, API key 21, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::delete_records_request as owned;
use crate::read::{Items, ReadView, Reader};

/// [`owned::DeleteRecordsRequest`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeleteRecordsRequestView<'a> {
    pub topics: Items<'a, DeleteRecordsTopicView<'a>>,
    pub timeout_ms: i32,
}

impl<'a> ReadView<'a> for DeleteRecordsRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let topics = r.items()?;
        let timeout_ms = r.int32()?;
        r.skip_tags()?;
        Ok(Self { topics, timeout_ms })
    }
}

impl DeleteRecordsRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::DeleteRecordsRequest {
        owned::DeleteRecordsRequest {
            topics: self.topics.map(|item| item.to_message()).collect(),
            timeout_ms: self.timeout_ms,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::DeleteRecordsTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeleteRecordsTopicView<'a> {
    pub name: &'a str,
    pub partitions: Items<'a, DeleteRecordsPartitionView>,
}

impl<'a> ReadView<'a> for DeleteRecordsTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = r.str()?;
        let partitions = r.items()?;
        r.skip_tags()?;
        Ok(Self { name, partitions })
    }
}

impl DeleteRecordsTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::DeleteRecordsTopic {
        owned::DeleteRecordsTopic {
            name: self.name.to_owned(),
            partitions: self.partitions.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::DeleteRecordsPartition`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeleteRecordsPartitionView {
    pub partition_index: i32,
    pub offset: i64,
}

impl<'a> ReadView<'a> for DeleteRecordsPartitionView {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let offset = r.int64()?;
        r.skip_tags()?;
        Ok(Self {
            partition_index,
            offset,
        })
    }
}

impl DeleteRecordsPartitionView {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::DeleteRecordsPartition {
        owned::DeleteRecordsPartition {
            partition_index: self.partition_index,
            offset: self.offset,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> DeleteRecordsRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::DeleteRecordsRequest::VERSION_MIN..=owned::DeleteRecordsRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 2);
        Self::read_view(&mut r)
    }
}
