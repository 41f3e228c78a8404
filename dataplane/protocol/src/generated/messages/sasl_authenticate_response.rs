// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslAuthenticateResponse, API key 36.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// SaslAuthenticateResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslAuthenticateResponse {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub auth_bytes: Vec<u8>,
    /// Versions 1-2.
    pub session_lifetime_ms: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SaslAuthenticateResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let auth_bytes = r.bytes()?;
        let session_lifetime_ms = if version >= 1 { r.int64()? } else { 0 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            auth_bytes,
            session_lifetime_ms,
            unknown_tagged_fields,
        })
    }
}

impl Write for SaslAuthenticateResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.bytes(&self.auth_bytes);
        if version >= 1 {
            w.int64(self.session_lifetime_ms);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl SaslAuthenticateResponse {
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

impl Message for SaslAuthenticateResponse {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    const VERSION_MIN: i16 = SaslAuthenticateResponse::VERSION_MIN;
    const VERSION_MAX: i16 = SaslAuthenticateResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SaslAuthenticateResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SaslAuthenticateResponse::encode(self, out, version)
    }
}
