// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! EndTxnRequest, API key 26.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// EndTxnRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTxnRequest {
    pub transactional_id: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub committed: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for EndTxnRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_id = r.string()?;
        let producer_id = r.int64()?;
        let producer_epoch = r.int16()?;
        let committed = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            producer_epoch,
            committed,
            unknown_tagged_fields,
        })
    }
}

impl Write for EndTxnRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.transactional_id);
        w.int64(self.producer_id);
        w.int16(self.producer_epoch);
        w.bool(self.committed);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl EndTxnRequest {
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

impl Message for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
    const VERSION_MIN: i16 = EndTxnRequest::VERSION_MIN;
    const VERSION_MAX: i16 = EndTxnRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        EndTxnRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        EndTxnRequest::encode(self, out, version)
    }
}

impl Request for EndTxnRequest {
    type Response = super::EndTxnResponse;
}
