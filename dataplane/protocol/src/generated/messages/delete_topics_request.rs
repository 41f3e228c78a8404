// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteTopicsRequest, API key 20.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// DeleteTopicsRequest, versions 1-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicsRequest {
    /// Versions 6.
    pub topics: Vec<DeleteTopicState>,
    /// Versions 1-5.
    pub topic_names: Vec<String>,
    pub timeout_ms: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteTopicsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topics = if version >= 6 { r.array()? } else { Vec::new() };
        let topic_names = if version <= 5 { r.array()? } else { Vec::new() };
        let timeout_ms = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topics,
            topic_names,
            timeout_ms,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteTopicsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 6 {
            w.array(&self.topics);
        } else if !self.topics.is_empty() {
            w.not_in_version("Topics");
        }
        if version <= 5 {
            w.array(&self.topic_names);
        }
        w.int32(self.timeout_ms);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteTopicsRequest`], versions 6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicState {
    pub name: Option<String>,
    pub topic_id: TopicId,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteTopicState {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.option_string(true)?;
        let topic_id = r.topic_id()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteTopicState {
    fn write(&self, w: &mut Writer<'_>) {
        w.option_string(self.name.as_deref(), true, "Name");
        w.topic_id(self.topic_id);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteTopicsRequest {
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

impl Message for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    const VERSION_MIN: i16 = DeleteTopicsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteTopicsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteTopicsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteTopicsRequest::encode(self, out, version)
    }
}

impl Request for DeleteTopicsRequest {
    type Response = super::DeleteTopicsResponse;
}
