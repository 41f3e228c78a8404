// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListOffsetsResponse, API key 2.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListOffsetsResponse, versions 1-11.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsResponse {
    /// Versions 2-11.
    pub throttle_time_ms: i32,
    pub topics: Vec<ListOffsetsTopicResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListOffsetsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 2 { r.int32()? } else { 0 };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListOffsetsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 2 {
            w.int32(self.throttle_time_ms);
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListOffsetsResponse`], versions 1-11.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopicResponse {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListOffsetsTopicResponse {
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

impl Write for ListOffsetsTopicResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListOffsetsResponse`], versions 1-11.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    pub timestamp: i64,
    pub offset: i64,
    /// Versions 4-11.
    pub leader_epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ListOffsetsPartitionResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let timestamp = r.int64()?;
        let offset = r.int64()?;
        let leader_epoch = if version >= 4 { r.int32()? } else { -1 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            timestamp,
            offset,
            leader_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListOffsetsPartitionResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.int64(self.timestamp);
        w.int64(self.offset);
        if version >= 4 {
            w.int32(self.leader_epoch);
        } else if self.leader_epoch != -1 {
            w.not_in_version("LeaderEpoch");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListOffsetsResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 11;

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

impl Message for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;
    const VERSION_MIN: i16 = ListOffsetsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ListOffsetsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListOffsetsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListOffsetsResponse::encode(self, out, version)
    }
}
