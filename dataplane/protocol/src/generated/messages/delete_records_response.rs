// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteRecordsResponse, API key 21.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DeleteRecordsResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DeleteRecordsTopicResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteRecordsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteRecordsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteRecordsResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsTopicResult {
    pub name: String,
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteRecordsTopicResult {
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

impl Write for DeleteRecordsTopicResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteRecordsResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsPartitionResult {
    pub partition_index: i32,
    pub low_watermark: i64,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteRecordsPartitionResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let low_watermark = r.int64()?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            low_watermark,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteRecordsPartitionResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int64(self.low_watermark);
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteRecordsResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 2;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 2);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 2);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for DeleteRecordsResponse {
    const KEY: ApiKey = ApiKey::DeleteRecords;
    const VERSION_MIN: i16 = DeleteRecordsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteRecordsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteRecordsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteRecordsResponse::encode(self, out, version)
    }
}
