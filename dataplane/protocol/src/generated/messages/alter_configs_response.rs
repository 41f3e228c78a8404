// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterConfigsResponse, API key 33.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AlterConfigsResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterConfigsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterConfigsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let responses = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            responses,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterConfigsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.responses);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterConfigsResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterConfigsResourceResponse {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterConfigsResourceResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            resource_type,
            resource_name,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterConfigsResourceResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AlterConfigsResponse {
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

impl Message for AlterConfigsResponse {
    const KEY: ApiKey = ApiKey::AlterConfigs;
    const VERSION_MIN: i16 = AlterConfigsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = AlterConfigsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AlterConfigsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AlterConfigsResponse::encode(self, out, version)
    }
}
