// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterPartitionReassignmentsResponse, API key 45.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AlterPartitionReassignmentsResponse, versions 0-1.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsResponse {
    pub throttle_time_ms: i32,
    /// Versions 1.
    pub allow_replication_factor_change: bool,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub responses: Vec<ReassignableTopicResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for AlterPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            allow_replication_factor_change: true,
            error_code: 0,
            error_message: None,
            responses: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for AlterPartitionReassignmentsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let allow_replication_factor_change = if version >= 1 { r.bool()? } else { true };
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let responses = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            allow_replication_factor_change,
            error_code,
            error_message,
            responses,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterPartitionReassignmentsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        if version >= 1 {
            w.bool(self.allow_replication_factor_change);
        }
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.array(&self.responses);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReassignableTopicResponse {
    pub name: String,
    pub partitions: Vec<ReassignablePartitionResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ReassignableTopicResponse {
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

impl Write for ReassignableTopicResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReassignablePartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ReassignablePartitionResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for ReassignablePartitionResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AlterPartitionReassignmentsResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 1;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, true);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, true);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for AlterPartitionReassignmentsResponse {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
    const VERSION_MIN: i16 = AlterPartitionReassignmentsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = AlterPartitionReassignmentsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AlterPartitionReassignmentsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AlterPartitionReassignmentsResponse::encode(self, out, version)
    }
}
