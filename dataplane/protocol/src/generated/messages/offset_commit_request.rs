// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetCommitRequest, API key 8.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// OffsetCommitRequest, versions 2-10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    pub group_id: String,
    pub generation_id_or_member_epoch: i32,
    pub member_id: String,
    /// Versions 7-10.
    pub group_instance_id: Option<String>,
    /// Versions 2-4.
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            generation_id_or_member_epoch: -1,
            member_id: String::new(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetCommitRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let generation_id_or_member_epoch = r.int32()?;
        let member_id = r.string()?;
        let group_instance_id = if version >= 7 {
            r.option_string(true)?
        } else {
            None
        };
        let retention_time_ms = if version <= 4 { r.int64()? } else { -1 };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            generation_id_or_member_epoch,
            member_id,
            group_instance_id,
            retention_time_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetCommitRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        w.int32(self.generation_id_or_member_epoch);
        w.string(&self.member_id);
        if version >= 7 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        } else if self.group_instance_id.is_some() {
            w.not_in_version("GroupInstanceId");
        }
        if version <= 4 {
            w.int64(self.retention_time_ms);
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetCommitRequest`], versions 2-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitRequestTopic {
    /// Versions 2-9.
    pub name: String,
    /// Versions 10.
    pub topic_id: TopicId,
    pub partitions: Vec<OffsetCommitRequestPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetCommitRequestTopic {
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

impl Write for OffsetCommitRequestTopic {
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

/// Part of [`OffsetCommitRequest`], versions 2-10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    /// Versions 6-10.
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetCommitRequestPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let committed_offset = r.int64()?;
        let committed_leader_epoch = if version >= 6 { r.int32()? } else { -1 };
        let committed_metadata = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            committed_metadata,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetCommitRequestPartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        w.int64(self.committed_offset);
        if version >= 6 {
            w.int32(self.committed_leader_epoch);
        }
        w.option_string(
            self.committed_metadata.as_deref(),
            true,
            "CommittedMetadata",
        );
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl OffsetCommitRequest {
    pub const VERSION_MIN: i16 = 2;
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
        let mut r = Reader::new(body, version, version >= 8);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 8);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    const VERSION_MIN: i16 = OffsetCommitRequest::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetCommitRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetCommitRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetCommitRequest::encode(self, out, version)
    }
}

impl Request for OffsetCommitRequest {
    type Response = super::OffsetCommitResponse;
}
