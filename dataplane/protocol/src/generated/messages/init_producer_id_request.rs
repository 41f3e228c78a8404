// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! InitProducerIdRequest, API key 22.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// InitProducerIdRequest, versions 0-6.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<String>,
    pub transaction_timeout_ms: i32,
    /// Versions 3-6.
    pub producer_id: i64,
    /// Versions 3-6.
    pub producer_epoch: i16,
    /// Versions 6.
    pub enable2_pc: bool,
    /// Versions 6.
    pub keep_prepared_txn: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: None,
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: false,
            keep_prepared_txn: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for InitProducerIdRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let transactional_id = r.option_string(true)?;
        let transaction_timeout_ms = r.int32()?;
        let producer_id = if version >= 3 { r.int64()? } else { -1 };
        let producer_epoch = if version >= 3 { r.int16()? } else { -1 };
        let enable2_pc = if version >= 6 { r.bool()? } else { false };
        let keep_prepared_txn = if version >= 6 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            transaction_timeout_ms,
            producer_id,
            producer_epoch,
            enable2_pc,
            keep_prepared_txn,
            unknown_tagged_fields,
        })
    }
}

impl Write for InitProducerIdRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.option_string(self.transactional_id.as_deref(), true, "TransactionalId");
        w.int32(self.transaction_timeout_ms);
        if version >= 3 {
            w.int64(self.producer_id);
        } else if self.producer_id != -1 {
            w.not_in_version("ProducerId");
        }
        if version >= 3 {
            w.int16(self.producer_epoch);
        } else if self.producer_epoch != -1 {
            w.not_in_version("ProducerEpoch");
        }
        if version >= 6 {
            w.bool(self.enable2_pc);
        } else if self.enable2_pc {
            w.not_in_version("Enable2Pc");
        }
        if version >= 6 {
            w.bool(self.keep_prepared_txn);
        } else if self.keep_prepared_txn {
            w.not_in_version("KeepPreparedTxn");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl InitProducerIdRequest {
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

impl Message for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
    const VERSION_MIN: i16 = InitProducerIdRequest::VERSION_MIN;
    const VERSION_MAX: i16 = InitProducerIdRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        InitProducerIdRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        InitProducerIdRequest::encode(self, out, version)
    }
}

impl Request for InitProducerIdRequest {
    type Response = super::InitProducerIdResponse;
}
