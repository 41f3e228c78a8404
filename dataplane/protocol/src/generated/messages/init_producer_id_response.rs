// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! InitProducerIdResponse, API key 22.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// InitProducerIdResponse, versions 0-6.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Versions 6.
    pub ongoing_txn_producer_id: i64,
    /// Versions 6.
    pub ongoing_txn_producer_epoch: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for InitProducerIdResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let producer_id = r.int64()?;
        let producer_epoch = r.int16()?;
        let ongoing_txn_producer_id = if version >= 6 { r.int64()? } else { -1 };
        let ongoing_txn_producer_epoch = if version >= 6 { r.int16()? } else { -1 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
            ongoing_txn_producer_id,
            ongoing_txn_producer_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for InitProducerIdResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.int64(self.producer_id);
        w.int16(self.producer_epoch);
        if version >= 6 {
            w.int64(self.ongoing_txn_producer_id);
        } else if self.ongoing_txn_producer_id != -1 {
            w.not_in_version("OngoingTxnProducerId");
        }
        if version >= 6 {
            w.int16(self.ongoing_txn_producer_epoch);
        } else if self.ongoing_txn_producer_epoch != -1 {
            w.not_in_version("OngoingTxnProducerEpoch");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl InitProducerIdResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 6;

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

impl Message for InitProducerIdResponse {
    const KEY: ApiKey = ApiKey::InitProducerId;
    const VERSION_MIN: i16 = InitProducerIdResponse::VERSION_MIN;
    const VERSION_MAX: i16 = InitProducerIdResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        InitProducerIdResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        InitProducerIdResponse::encode(self, out, version)
    }
}
