// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! EndTxnResponse, API key 26.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// EndTxnResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Versions 5.
    pub producer_id: i64,
    /// Versions 5.
    pub producer_epoch: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for EndTxnResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let producer_id = if version >= 5 { r.int64()? } else { -1 };
        let producer_epoch = if version >= 5 { r.int16()? } else { -1 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for EndTxnResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        if version >= 5 {
            w.int64(self.producer_id);
        }
        if version >= 5 {
            w.int16(self.producer_epoch);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl EndTxnResponse {
    pub const VERSION_MIN: i16 = 0;
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
        let mut r = Reader::new(body, version, version >= 3);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 3);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for EndTxnResponse {
    const KEY: ApiKey = ApiKey::EndTxn;
    const VERSION_MIN: i16 = EndTxnResponse::VERSION_MIN;
    const VERSION_MAX: i16 = EndTxnResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        EndTxnResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        EndTxnResponse::encode(self, out, version)
    }
}
