// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreatePartitionsRequest, API key 37.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// CreatePartitionsRequest, versions 0-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatePartitionsRequest {
    pub topics: Vec<CreatePartitionsTopic>,
    pub timeout_ms: i32,
    pub validate_only: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatePartitionsRequest {
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

impl Write for CreatePartitionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.topics);
        w.int32(self.timeout_ms);
        w.bool(self.validate_only);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreatePartitionsRequest`], versions 0-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatePartitionsTopic {
    pub name: String,
    pub count: i32,
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatePartitionsTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let count = r.int32()?;
        let assignments = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            count,
            assignments,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatePartitionsTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int32(self.count);
        w.option_array(self.assignments.as_deref(), true, "Assignments");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreatePartitionsRequest`], versions 0-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatePartitionsAssignment {
    pub broker_ids: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreatePartitionsAssignment {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let broker_ids = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            broker_ids,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatePartitionsAssignment {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.broker_ids);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl CreatePartitionsRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 3;

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

impl Message for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    const VERSION_MIN: i16 = CreatePartitionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = CreatePartitionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        CreatePartitionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        CreatePartitionsRequest::encode(self, out, version)
    }
}

impl Request for CreatePartitionsRequest {
    type Response = super::CreatePartitionsResponse;
}
