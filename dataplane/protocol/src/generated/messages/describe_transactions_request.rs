// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTransactionsRequest, API key 65.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeTransactionsRequest, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeTransactionsRequest {
    pub transactional_ids: Vec<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeTransactionsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_ids = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_ids,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeTransactionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.transactional_ids);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeTransactionsRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 0;

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

impl Message for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    const VERSION_MIN: i16 = DescribeTransactionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeTransactionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeTransactionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeTransactionsRequest::encode(self, out, version)
    }
}

impl Request for DescribeTransactionsRequest {
    type Response = super::DescribeTransactionsResponse;
}
