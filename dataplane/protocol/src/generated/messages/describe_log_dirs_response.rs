// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeLogDirsResponse, API key 35.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeLogDirsResponse, versions 1-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsResponse {
    pub throttle_time_ms: i32,
    /// Versions 3-5.
    pub error_code: i16,
    pub results: Vec<DescribeLogDirsResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeLogDirsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = if version >= 3 { r.int16()? } else { 0 };
        let results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            results,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeLogDirsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        if version >= 3 {
            w.int16(self.error_code);
        }
        w.array(&self.results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1-5.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    pub error_code: i16,
    pub log_dir: String,
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Versions 4-5.
    pub total_bytes: i64,
    /// Versions 4-5.
    pub usable_bytes: i64,
    /// Versions 5.
    pub is_cordoned: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: String::new(),
            topics: Vec::new(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeLogDirsResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let log_dir = r.string()?;
        let topics = r.array()?;
        let total_bytes = if version >= 4 { r.int64()? } else { -1 };
        let usable_bytes = if version >= 4 { r.int64()? } else { -1 };
        let is_cordoned = if version >= 5 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            log_dir,
            topics,
            total_bytes,
            usable_bytes,
            is_cordoned,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeLogDirsResult {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        w.string(&self.log_dir);
        w.array(&self.topics);
        if version >= 4 {
            w.int64(self.total_bytes);
        }
        if version >= 4 {
            w.int64(self.usable_bytes);
        }
        if version >= 5 {
            w.bool(self.is_cordoned);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsTopic {
    pub name: String,
    pub partitions: Vec<DescribeLogDirsPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeLogDirsTopic {
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

impl Write for DescribeLogDirsTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsPartition {
    pub partition_index: i32,
    pub partition_size: i64,
    pub offset_lag: i64,
    pub is_future_key: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeLogDirsPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let partition_size = r.int64()?;
        let offset_lag = r.int64()?;
        let is_future_key = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            partition_size,
            offset_lag,
            is_future_key,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeLogDirsPartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int64(self.partition_size);
        w.int64(self.offset_lag);
        w.bool(self.is_future_key);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeLogDirsResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 5;

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

impl Message for DescribeLogDirsResponse {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    const VERSION_MIN: i16 = DescribeLogDirsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeLogDirsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeLogDirsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeLogDirsResponse::encode(self, out, version)
    }
}
