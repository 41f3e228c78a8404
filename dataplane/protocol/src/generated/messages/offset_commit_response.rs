// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetCommitResponse, API key 8.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// OffsetCommitResponse, versions 2-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponse {
    /// Versions 3-10.
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetCommitResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 3 { r.int32()? } else { 0 };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetCommitResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 3 {
            w.int32(self.throttle_time_ms);
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetCommitResponse`], versions 2-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponseTopic {
    /// Versions 2-9.
    pub name: String,
    /// Versions 10.
    pub topic_id: TopicId,
    pub partitions: Vec<OffsetCommitResponsePartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetCommitResponseTopic {
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

impl Write for OffsetCommitResponseTopic {
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

/// Part of [`OffsetCommitResponse`], versions 2-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetCommitResponsePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetCommitResponsePartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl OffsetCommitResponse {
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

impl Message for OffsetCommitResponse {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    const VERSION_MIN: i16 = OffsetCommitResponse::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetCommitResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetCommitResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetCommitResponse::encode(self, out, version)
    }
}
