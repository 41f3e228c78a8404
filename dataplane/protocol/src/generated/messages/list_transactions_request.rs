// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListTransactionsRequest, API key 66.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListTransactionsRequest, versions 0-2.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<String>,
    pub producer_id_filters: Vec<i64>,
    /// Versions 1-2.
    pub duration_filter: i64,
    /// Versions 2.
    pub transactional_id_pattern: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ListTransactionsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let state_filters = r.array()?;
        let producer_id_filters = r.array()?;
        let duration_filter = if version >= 1 { r.int64()? } else { -1 };
        let transactional_id_pattern = if version >= 2 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            state_filters,
            producer_id_filters,
            duration_filter,
            transactional_id_pattern,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListTransactionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.array(&self.state_filters);
        w.array(&self.producer_id_filters);
        if version >= 1 {
            w.int64(self.duration_filter);
        } else if self.duration_filter != -1 {
            w.not_in_version("DurationFilter");
        }
        if version >= 2 {
            w.option_string(
                self.transactional_id_pattern.as_deref(),
                true,
                "TransactionalIdPattern",
            );
        } else if self.transactional_id_pattern.is_some() {
            w.not_in_version("TransactionalIdPattern");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListTransactionsRequest {
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

impl Message for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    const VERSION_MIN: i16 = ListTransactionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ListTransactionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListTransactionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListTransactionsRequest::encode(self, out, version)
    }
}

impl Request for ListTransactionsRequest {
    type Response = super::ListTransactionsResponse;
}
