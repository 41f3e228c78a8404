// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareAcknowledgeRequest, API key 79.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareAcknowledgeRequest, versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareAcknowledgeRequest {
    pub group_id: Option<String>,
    pub member_id: Option<String>,
    pub share_session_epoch: i32,
    /// Versions 2.
    pub is_renew_ack: bool,
    pub topics: Vec<AcknowledgeTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareAcknowledgeRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.option_string(true)?;
        let member_id = r.option_string(true)?;
        let share_session_epoch = r.int32()?;
        let is_renew_ack = if version >= 2 { r.bool()? } else { false };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            share_session_epoch,
            is_renew_ack,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareAcknowledgeRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.option_string(self.group_id.as_deref(), true, "GroupId");
        w.option_string(self.member_id.as_deref(), true, "MemberId");
        w.int32(self.share_session_epoch);
        if version >= 2 {
            w.bool(self.is_renew_ack);
        } else if self.is_renew_ack {
            w.not_in_version("IsRenewAck");
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgeTopic {
    pub topic_id: TopicId,
    pub partitions: Vec<AcknowledgePartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AcknowledgeTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_id = r.topic_id()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_id,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for AcknowledgeTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgePartition {
    pub partition_index: i32,
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AcknowledgePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let acknowledgement_batches = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            acknowledgement_batches,
            unknown_tagged_fields,
        })
    }
}

impl Write for AcknowledgePartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.array(&self.acknowledgement_batches);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcknowledgementBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub acknowledge_types: Vec<i8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AcknowledgementBatch {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first_offset = r.int64()?;
        let last_offset = r.int64()?;
        let acknowledge_types = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            first_offset,
            last_offset,
            acknowledge_types,
            unknown_tagged_fields,
        })
    }
}

impl Write for AcknowledgementBatch {
    fn write(&self, w: &mut Writer<'_>) {
        w.int64(self.first_offset);
        w.int64(self.last_offset);
        w.array(&self.acknowledge_types);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareAcknowledgeRequest {
    pub const VERSION_MIN: i16 = 1;
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

impl Message for ShareAcknowledgeRequest {
    const KEY: ApiKey = ApiKey::ShareAcknowledge;
    const VERSION_MIN: i16 = ShareAcknowledgeRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ShareAcknowledgeRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareAcknowledgeRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareAcknowledgeRequest::encode(self, out, version)
    }
}

impl Request for ShareAcknowledgeRequest {
    type Response = super::ShareAcknowledgeResponse;
}
