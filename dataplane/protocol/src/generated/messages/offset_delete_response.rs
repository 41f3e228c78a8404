// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetDeleteResponse, API key 47.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader};
use crate::write::{Write, Writer};

/// OffsetDeleteResponse, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteResponse {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Read for OffsetDeleteResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let throttle_time_ms = r.int32()?;
        let topics = r.array()?;
        Ok(Self {
            error_code,
            throttle_time_ms,
            topics,
        })
    }
}

impl Write for OffsetDeleteResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.int32(self.throttle_time_ms);
        w.array(&self.topics);
    }
}

/// Part of [`OffsetDeleteResponse`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Read for OffsetDeleteResponseTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partitions = r.array()?;
        Ok(Self { name, partitions })
    }
}

impl Write for OffsetDeleteResponseTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
    }
}

/// Part of [`OffsetDeleteResponse`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl Read for OffsetDeleteResponsePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        Ok(Self {
            partition_index,
            error_code,
        })
    }
}

impl Write for OffsetDeleteResponsePartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.error_code);
    }
}

impl OffsetDeleteResponse {
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

impl Message for OffsetDeleteResponse {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    const VERSION_MIN: i16 = OffsetDeleteResponse::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetDeleteResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetDeleteResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetDeleteResponse::encode(self, out, version)
    }
}
