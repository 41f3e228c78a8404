// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListPartitionReassignmentsRequest, API key 46.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListPartitionReassignmentsRequest, versions 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsRequest {
    pub timeout_ms: i32,
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ListPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            topics: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ListPartitionReassignmentsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let timeout_ms = r.int32()?;
        let topics = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            timeout_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListPartitionReassignmentsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.timeout_ms);
        w.option_array(self.topics.as_deref(), true, "Topics");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListPartitionReassignmentsRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListPartitionReassignmentsTopics {
    pub name: String,
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListPartitionReassignmentsTopics {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partition_indexes = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            partition_indexes,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListPartitionReassignmentsTopics {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partition_indexes);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListPartitionReassignmentsRequest {
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

impl Message for ListPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
    const VERSION_MIN: i16 = ListPartitionReassignmentsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ListPartitionReassignmentsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListPartitionReassignmentsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListPartitionReassignmentsRequest::encode(self, out, version)
    }
}

impl Request for ListPartitionReassignmentsRequest {
    type Response = super::ListPartitionReassignmentsResponse;
}
