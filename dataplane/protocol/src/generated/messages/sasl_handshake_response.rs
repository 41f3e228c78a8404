// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslHandshakeResponse, API key 17.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader};
use crate::write::{Write, Writer};

/// SaslHandshakeResponse, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslHandshakeResponse {
    pub error_code: i16,
    pub mechanisms: Vec<String>,
}

impl Read for SaslHandshakeResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let mechanisms = r.array()?;
        Ok(Self {
            error_code,
            mechanisms,
        })
    }
}

impl Write for SaslHandshakeResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.array(&self.mechanisms);
    }
}

impl SaslHandshakeResponse {
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

impl Message for SaslHandshakeResponse {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    const VERSION_MIN: i16 = SaslHandshakeResponse::VERSION_MIN;
    const VERSION_MAX: i16 = SaslHandshakeResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SaslHandshakeResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SaslHandshakeResponse::encode(self, out, version)
    }
}
