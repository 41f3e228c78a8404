// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateAclsResponse, API key 30.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// CreateAclsResponse, versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateAclsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<AclCreationResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreateAclsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreateAclsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateAclsResponse`], versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AclCreationResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AclCreationResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for AclCreationResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl CreateAclsResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 3;

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

impl Message for CreateAclsResponse {
    const KEY: ApiKey = ApiKey::CreateAcls;
    const VERSION_MIN: i16 = CreateAclsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = CreateAclsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        CreateAclsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        CreateAclsResponse::encode(self, out, version)
    }
}
