// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTopicPartitionsRequest, API key 75.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeTopicPartitionsRequest, versions 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    pub topics: Vec<TopicRequest>,
    pub response_partition_limit: i32,
    pub cursor: Option<Cursor>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            response_partition_limit: 2000,
            cursor: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeTopicPartitionsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topics = r.array()?;
        let response_partition_limit = r.int32()?;
        let cursor = r.option_struct(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topics,
            response_partition_limit,
            cursor,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeTopicPartitionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.topics);
        w.int32(self.response_partition_limit);
        w.option_struct(self.cursor.as_ref(), true, "Cursor");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicRequest {
    pub name: String,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            unknown_tagged_fields,
        })
    }
}

impl Write for TopicRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cursor {
    pub topic_name: String,
    pub partition_index: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Cursor {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_name = r.string()?;
        let partition_index = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_name,
            partition_index,
            unknown_tagged_fields,
        })
    }
}

impl Write for Cursor {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.topic_name);
        w.int32(self.partition_index);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeTopicPartitionsRequest {
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

impl Message for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    const VERSION_MIN: i16 = DescribeTopicPartitionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeTopicPartitionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeTopicPartitionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeTopicPartitionsRequest::encode(self, out, version)
    }
}

impl Request for DescribeTopicPartitionsRequest {
    type Response = super::DescribeTopicPartitionsResponse;
}
