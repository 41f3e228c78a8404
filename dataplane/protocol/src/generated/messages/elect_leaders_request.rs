// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ElectLeadersRequest, API key 43.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ElectLeadersRequest, versions 0-2.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// Versions 1-2.
    pub election_type: i8,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    pub timeout_ms: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self {
            election_type: 0,
            topic_partitions: None,
            timeout_ms: 60000,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ElectLeadersRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let election_type = if version >= 1 { r.int8()? } else { 0 };
        let topic_partitions = r.option_array(true)?;
        let timeout_ms = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            election_type,
            topic_partitions,
            timeout_ms,
            unknown_tagged_fields,
        })
    }
}

impl Write for ElectLeadersRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int8(self.election_type);
        } else if self.election_type != 0 {
            w.not_in_version("ElectionType");
        }
        w.option_array(self.topic_partitions.as_deref(), true, "TopicPartitions");
        w.int32(self.timeout_ms);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ElectLeadersRequest`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    pub topic: String,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicPartitions {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic = r.string()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for TopicPartitions {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.topic);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ElectLeadersRequest {
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

impl Message for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    const VERSION_MIN: i16 = ElectLeadersRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ElectLeadersRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ElectLeadersRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ElectLeadersRequest::encode(self, out, version)
    }
}

impl Request for ElectLeadersRequest {
    type Response = super::ElectLeadersResponse;
}
