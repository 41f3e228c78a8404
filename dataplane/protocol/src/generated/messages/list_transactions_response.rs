// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListTransactionsResponse, API key 66.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListTransactionsResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListTransactionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_state_filters: Vec<String>,
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListTransactionsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let unknown_state_filters = r.array()?;
        let transaction_states = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            unknown_state_filters,
            transaction_states,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListTransactionsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.array(&self.unknown_state_filters);
        w.array(&self.transaction_states);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListTransactionsResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TransactionState {
    pub transactional_id: String,
    pub producer_id: i64,
    pub transaction_state: String,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TransactionState {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_id = r.string()?;
        let producer_id = r.int64()?;
        let transaction_state = r.string()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            transaction_state,
            unknown_tagged_fields,
        })
    }
}

impl Write for TransactionState {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.transactional_id);
        w.int64(self.producer_id);
        w.string(&self.transaction_state);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListTransactionsResponse {
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
        let mut r = Reader::new(body, version, true);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, true);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ListTransactionsResponse {
    const KEY: ApiKey = ApiKey::ListTransactions;
    const VERSION_MIN: i16 = ListTransactionsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ListTransactionsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListTransactionsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListTransactionsResponse::encode(self, out, version)
    }
}
