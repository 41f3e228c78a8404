// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslAuthenticateRequest, API key 36.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// SaslAuthenticateRequest, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslAuthenticateRequest {
    pub auth_bytes: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SaslAuthenticateRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let auth_bytes = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            auth_bytes,
            unknown_tagged_fields,
        })
    }
}

impl Write for SaslAuthenticateRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&self.auth_bytes);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl SaslAuthenticateRequest {
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

impl Message for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    const VERSION_MIN: i16 = SaslAuthenticateRequest::VERSION_MIN;
    const VERSION_MAX: i16 = SaslAuthenticateRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SaslAuthenticateRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SaslAuthenticateRequest::encode(self, out, version)
    }
}

impl Request for SaslAuthenticateRequest {
    type Response = super::SaslAuthenticateResponse;
}
