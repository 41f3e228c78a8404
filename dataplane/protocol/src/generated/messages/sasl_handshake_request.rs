// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslHandshakeRequest, API key 17.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader};
use crate::write::{Write, Writer};

/// SaslHandshakeRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslHandshakeRequest {
    pub mechanism: String,
}

impl Read for SaslHandshakeRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mechanism = r.string()?;
        Ok(Self { mechanism })
    }
}

impl Write for SaslHandshakeRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.mechanism);
    }
}

impl SaslHandshakeRequest {
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

impl Message for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    const VERSION_MIN: i16 = SaslHandshakeRequest::VERSION_MIN;
    const VERSION_MAX: i16 = SaslHandshakeRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SaslHandshakeRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SaslHandshakeRequest::encode(self, out, version)
    }
}

impl Request for SaslHandshakeRequest {
    type Response = super::SaslHandshakeResponse;
}
