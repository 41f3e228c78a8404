// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateTopicsRequest, API key 19.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// CreateTopicsRequest, versions 2-7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    pub timeout_ms: i32,
    pub validate_only: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60000,
            validate_only: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for CreateTopicsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topics = r.array()?;
        let timeout_ms = r.int32()?;
        let validate_only = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topics,
            timeout_ms,
            validate_only,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreateTopicsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.topics);
        w.int32(self.timeout_ms);
        w.bool(self.validate_only);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateTopicsRequest`], versions 2-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableTopic {
    pub name: String,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub assignments: Vec<CreatableReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatableTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let num_partitions = r.int32()?;
        let replication_factor = r.int16()?;
        let assignments = r.array()?;
        let configs = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            num_partitions,
            replication_factor,
            assignments,
            configs,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatableTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int32(self.num_partitions);
        w.int16(self.replication_factor);
        w.array(&self.assignments);
        w.array(&self.configs);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateTopicsRequest`], versions 2-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableReplicaAssignment {
    pub partition_index: i32,
    pub broker_ids: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatableReplicaAssignment {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let broker_ids = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            broker_ids,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatableReplicaAssignment {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.array(&self.broker_ids);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateTopicsRequest`], versions 2-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableTopicConfig {
    pub name: String,
    pub value: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatableTopicConfig {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let value = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            value,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatableTopicConfig {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.option_string(self.value.as_deref(), true, "Value");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl CreateTopicsRequest {
    pub const VERSION_MIN: i16 = 2;
    pub const VERSION_MAX: i16 = 7;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 5);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 5);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    const VERSION_MIN: i16 = CreateTopicsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = CreateTopicsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        CreateTopicsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        CreateTopicsRequest::encode(self, out, version)
    }
}

impl Request for CreateTopicsRequest {
    type Response = super::CreateTopicsResponse;
}
