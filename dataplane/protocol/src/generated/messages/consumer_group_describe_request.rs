// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ConsumerGroupDescribeRequest, API key 69.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ConsumerGroupDescribeRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupDescribeRequest {
    pub group_ids: Vec<String>,
    pub include_authorized_operations: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ConsumerGroupDescribeRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let group_ids = r.array()?;
        let include_authorized_operations = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_ids,
            include_authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for ConsumerGroupDescribeRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.group_ids);
        w.bool(self.include_authorized_operations);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ConsumerGroupDescribeRequest {
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

impl Message for ConsumerGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
    const VERSION_MIN: i16 = ConsumerGroupDescribeRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ConsumerGroupDescribeRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ConsumerGroupDescribeRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ConsumerGroupDescribeRequest::encode(self, out, version)
    }
}

impl Request for ConsumerGroupDescribeRequest {
    type Response = super::ConsumerGroupDescribeResponse;
}
