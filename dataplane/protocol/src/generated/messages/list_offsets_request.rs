// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListOffsetsRequest, API key 2.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListOffsetsRequest, versions 1-11.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsRequest {
    pub replica_id: i32,
    /// Versions 2-11.
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic>,
    /// Versions 10-11.
    pub timeout_ms: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListOffsetsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let replica_id = r.int32()?;
        let isolation_level = if version >= 2 { r.int8()? } else { 0 };
        let topics = r.array()?;
        let timeout_ms = if version >= 10 { r.int32()? } else { 0 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            replica_id,
            isolation_level,
            topics,
            timeout_ms,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListOffsetsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.replica_id);
        if version >= 2 {
            w.int8(self.isolation_level);
        } else if self.isolation_level != 0 {
            w.not_in_version("IsolationLevel");
        }
        w.array(&self.topics);
        if version >= 10 {
            w.int32(self.timeout_ms);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListOffsetsRequest`], versions 1-11.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopic {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListOffsetsTopic {
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

impl Write for ListOffsetsTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListOffsetsRequest`], versions 1-11.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    /// Versions 4-11.
    pub current_leader_epoch: i32,
    pub timestamp: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ListOffsetsPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let current_leader_epoch = if version >= 4 { r.int32()? } else { -1 };
        let timestamp = r.int64()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            current_leader_epoch,
            timestamp,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListOffsetsPartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        if version >= 4 {
            w.int32(self.current_leader_epoch);
        }
        w.int64(self.timestamp);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListOffsetsRequest {
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

impl Message for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    const VERSION_MIN: i16 = ListOffsetsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ListOffsetsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListOffsetsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListOffsetsRequest::encode(self, out, version)
    }
}

impl Request for ListOffsetsRequest {
    type Response = super::ListOffsetsResponse;
}
