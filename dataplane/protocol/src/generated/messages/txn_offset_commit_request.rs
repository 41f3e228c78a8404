// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! TxnOffsetCommitRequest, API key 28.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// TxnOffsetCommitRequest, versions 0-6.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: String,
    pub group_id: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Versions 3-6.
    pub generation_id_or_member_epoch: i32,
    /// Versions 3-6.
    pub member_id: String,
    /// Versions 3-6.
    pub group_instance_id: Option<String>,
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            group_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id_or_member_epoch: -1,
            member_id: String::new(),
            group_instance_id: None,
            topics: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for TxnOffsetCommitRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let transactional_id = r.string()?;
        let group_id = r.string()?;
        let producer_id = r.int64()?;
        let producer_epoch = r.int16()?;
        let generation_id_or_member_epoch = if version >= 3 { r.int32()? } else { -1 };
        let member_id = if version >= 3 {
            r.string()?
        } else {
            String::new()
        };
        let group_instance_id = if version >= 3 {
            r.option_string(true)?
        } else {
            None
        };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            group_id,
            producer_id,
            producer_epoch,
            generation_id_or_member_epoch,
            member_id,
            group_instance_id,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for TxnOffsetCommitRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.transactional_id);
        w.string(&self.group_id);
        w.int64(self.producer_id);
        w.int16(self.producer_epoch);
        if version >= 3 {
            w.int32(self.generation_id_or_member_epoch);
        } else if self.generation_id_or_member_epoch != -1 {
            w.not_in_version("GenerationIdOrMemberEpoch");
        }
        if version >= 3 {
            w.string(&self.member_id);
        } else if !self.member_id.is_empty() {
            w.not_in_version("MemberId");
        }
        if version >= 3 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        } else if self.group_instance_id.is_some() {
            w.not_in_version("GroupInstanceId");
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`TxnOffsetCommitRequest`], versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TxnOffsetCommitRequestTopic {
    /// Versions 0-5.
    pub name: String,
    /// Versions 6.
    pub topic_id: TopicId,
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TxnOffsetCommitRequestTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = if version <= 5 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 6 {
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

impl Write for TxnOffsetCommitRequestTopic {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 5 {
            w.string(&self.name);
        }
        if version >= 6 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`TxnOffsetCommitRequest`], versions 0-6.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    /// Versions 2-6.
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for TxnOffsetCommitRequestPartition {
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

impl Read for TxnOffsetCommitRequestPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let committed_offset = r.int64()?;
        let committed_leader_epoch = if version >= 2 { r.int32()? } else { -1 };
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

impl Write for TxnOffsetCommitRequestPartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        w.int64(self.committed_offset);
        if version >= 2 {
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

impl TxnOffsetCommitRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 6;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 3);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 3);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    const VERSION_MIN: i16 = TxnOffsetCommitRequest::VERSION_MIN;
    const VERSION_MAX: i16 = TxnOffsetCommitRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        TxnOffsetCommitRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        TxnOffsetCommitRequest::encode(self, out, version)
    }
}

impl Request for TxnOffsetCommitRequest {
    type Response = super::TxnOffsetCommitResponse;
}
