// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetFetchResponse, API key 9.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// OffsetFetchResponse, versions 1-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponse {
    /// Versions 3-10.
    pub throttle_time_ms: i32,
    /// Versions 1-7.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Versions 2-7.
    pub error_code: i16,
    /// Versions 8-10.
    pub groups: Vec<OffsetFetchResponseGroup>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 3 { r.int32()? } else { 0 };
        let topics = if version <= 7 { r.array()? } else { Vec::new() };
        let error_code = if (2..=7).contains(&version) {
            r.int16()?
        } else {
            0
        };
        let groups = if version >= 8 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            error_code,
            groups,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 3 {
            w.int32(self.throttle_time_ms);
        }
        if version <= 7 {
            w.array(&self.topics);
        } else if !self.topics.is_empty() {
            w.not_in_version("Topics");
        }
        if (2..=7).contains(&version) {
            w.int16(self.error_code);
        }
        if version >= 8 {
            w.array(&self.groups);
        } else if !self.groups.is_empty() {
            w.not_in_version("Groups");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchResponse`], versions 1-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetFetchResponsePartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchResponseTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponseTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchResponse`], versions 1-7.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    /// Versions 5-7.
    pub committed_leader_epoch: i32,
    pub metadata: Option<String>,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: None,
            error_code: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetFetchResponsePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let committed_offset = r.int64()?;
        let committed_leader_epoch = if version >= 5 { r.int32()? } else { -1 };
        let metadata = r.option_string(true)?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponsePartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        w.int64(self.committed_offset);
        if version >= 5 {
            w.int32(self.committed_leader_epoch);
        }
        w.option_string(self.metadata.as_deref(), true, "Metadata");
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchResponse`], versions 8-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseGroup {
    pub group_id: String,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchResponseGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let group_id = r.string()?;
        let topics = r.array()?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            topics,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponseGroup {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.group_id);
        w.array(&self.topics);
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchResponse`], versions 8-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopics {
    /// Versions 8-9.
    pub name: String,
    /// Versions 10.
    pub topic_id: TopicId,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchResponseTopics {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = if version <= 9 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 10 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponseTopics {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 9 {
            w.string(&self.name);
        }
        if version >= 10 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchResponse`], versions 8-10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<String>,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: None,
            error_code: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetFetchResponsePartitions {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let committed_offset = r.int64()?;
        let committed_leader_epoch = r.int32()?;
        let metadata = r.option_string(true)?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            metadata,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchResponsePartitions {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int64(self.committed_offset);
        w.int32(self.committed_leader_epoch);
        w.option_string(self.metadata.as_deref(), true, "Metadata");
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl OffsetFetchResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 10;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 6);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 6);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for OffsetFetchResponse {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    const VERSION_MIN: i16 = OffsetFetchResponse::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetFetchResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetFetchResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetFetchResponse::encode(self, out, version)
    }
}
