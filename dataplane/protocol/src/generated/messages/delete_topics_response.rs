// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteTopicsResponse, API key 20.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// DeleteTopicsResponse, versions 1-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteTopicsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let responses = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            responses,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteTopicsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.responses);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteTopicsResponse`], versions 1-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeletableTopicResult {
    /// May be null in versions 6.
    pub name: Option<String>,
    /// Versions 6.
    pub topic_id: TopicId,
    pub error_code: i16,
    /// Versions 5-6.
    pub error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeletableTopicResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = r.option_string(version >= 6)?;
        let topic_id = if version >= 6 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let error_code = r.int16()?;
        let error_message = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            error_code,
            error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeletableTopicResult {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.option_string(self.name.as_deref(), version >= 6, "Name");
        if version >= 6 {
            w.topic_id(self.topic_id);
        }
        w.int16(self.error_code);
        if version >= 5 {
            w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteTopicsResponse {
    pub const VERSION_MIN: i16 = 1;
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
        let mut r = Reader::new(body, version, version >= 4);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 4);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for DeleteTopicsResponse {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    const VERSION_MIN: i16 = DeleteTopicsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteTopicsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteTopicsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteTopicsResponse::encode(self, out, version)
    }
}
