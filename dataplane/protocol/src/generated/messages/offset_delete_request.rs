// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetDeleteRequest, API key 47.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader};
use crate::write::{Write, Writer};

/// OffsetDeleteRequest, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequest {
    pub group_id: String,
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Read for OffsetDeleteRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let group_id = r.string()?;
        let topics = r.array()?;
        Ok(Self { group_id, topics })
    }
}

impl Write for OffsetDeleteRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.group_id);
        w.array(&self.topics);
    }
}

/// Part of [`OffsetDeleteRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequestTopic {
    pub name: String,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Read for OffsetDeleteRequestTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partitions = r.array()?;
        Ok(Self { name, partitions })
    }
}

impl Write for OffsetDeleteRequestTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
    }
}

/// Part of [`OffsetDeleteRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

impl Read for OffsetDeleteRequestPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        Ok(Self { partition_index })
    }
}

impl Write for OffsetDeleteRequestPartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
    }
}

impl OffsetDeleteRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 0;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, false);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, false);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    const VERSION_MIN: i16 = OffsetDeleteRequest::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetDeleteRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetDeleteRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetDeleteRequest::encode(self, out, version)
    }
}

impl Request for OffsetDeleteRequest {
    type Response = super::OffsetDeleteResponse;
}
