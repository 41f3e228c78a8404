// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ProduceRequest, API key 0.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ProduceRequest, versions 3-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProduceRequest {
    pub transactional_id: Option<String>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ProduceRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_id = r.option_string(true)?;
        let acks = r.int16()?;
        let timeout_ms = r.int32()?;
        let topic_data = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            acks,
            timeout_ms,
            topic_data,
            unknown_tagged_fields,
        })
    }
}

impl Write for ProduceRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.option_string(self.transactional_id.as_deref(), true, "TransactionalId");
        w.int16(self.acks);
        w.int32(self.timeout_ms);
        w.array(&self.topic_data);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ProduceRequest`], versions 3-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicProduceData {
    /// Versions 3-12.
    pub name: String,
    /// Versions 13.
    pub topic_id: TopicId,
    pub partition_data: Vec<PartitionProduceData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicProduceData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = if version <= 12 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partition_data = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            partition_data,
            unknown_tagged_fields,
        })
    }
}

impl Write for TopicProduceData {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 12 {
            w.string(&self.name);
        }
        if version >= 13 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partition_data);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ProduceRequest`], versions 3-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionProduceData {
    pub index: i32,
    pub records: Option<Vec<u8>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for PartitionProduceData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let index = r.int32()?;
        let records = r.option_bytes(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            index,
            records,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionProduceData {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.index);
        w.option_bytes(self.records.as_deref(), true, "Records");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ProduceRequest {
    pub const VERSION_MIN: i16 = 3;
    pub const VERSION_MAX: i16 = 13;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 9);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 9);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    const VERSION_MIN: i16 = ProduceRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ProduceRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ProduceRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ProduceRequest::encode(self, out, version)
    }
}

impl Request for ProduceRequest {
    type Response = super::ProduceResponse;
}
