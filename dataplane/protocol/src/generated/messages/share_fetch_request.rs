// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareFetchRequest, API key 78.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareFetchRequest, versions 1-2.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareFetchRequest {
    pub group_id: Option<String>,
    pub member_id: Option<String>,
    pub share_session_epoch: i32,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub max_records: i32,
    pub batch_size: i32,
    /// Versions 2.
    pub share_acquire_mode: i8,
    /// Versions 2.
    pub is_renew_ack: bool,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ShareFetchRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: None,
            share_session_epoch: 0,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            max_records: 0,
            batch_size: 0,
            share_acquire_mode: 0,
            is_renew_ack: false,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ShareFetchRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.option_string(true)?;
        let member_id = r.option_string(true)?;
        let share_session_epoch = r.int32()?;
        let max_wait_ms = r.int32()?;
        let min_bytes = r.int32()?;
        let max_bytes = r.int32()?;
        let max_records = r.int32()?;
        let batch_size = r.int32()?;
        let share_acquire_mode = if version >= 2 { r.int8()? } else { 0 };
        let is_renew_ack = if version >= 2 { r.bool()? } else { false };
        let topics = r.array()?;
        let forgotten_topics_data = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            share_session_epoch,
            max_wait_ms,
            min_bytes,
            max_bytes,
            max_records,
            batch_size,
            share_acquire_mode,
            is_renew_ack,
            topics,
            forgotten_topics_data,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareFetchRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.option_string(self.group_id.as_deref(), true, "GroupId");
        w.option_string(self.member_id.as_deref(), true, "MemberId");
        w.int32(self.share_session_epoch);
        w.int32(self.max_wait_ms);
        w.int32(self.min_bytes);
        w.int32(self.max_bytes);
        w.int32(self.max_records);
        w.int32(self.batch_size);
        if version >= 2 {
            w.int8(self.share_acquire_mode);
        }
        if version >= 2 {
            w.bool(self.is_renew_ack);
        } else if self.is_renew_ack {
            w.not_in_version("IsRenewAck");
        }
        w.array(&self.topics);
        w.array(&self.forgotten_topics_data);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchTopic {
    pub topic_id: TopicId,
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FetchTopic {
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

impl Write for FetchTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchPartition {
    pub partition_index: i32,
    /// Versions 1-0.
    pub partition_max_bytes: i32,
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FetchPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let partition_max_bytes = if false { r.int32()? } else { 0 };
        let acknowledgement_batches = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            partition_max_bytes,
            acknowledgement_batches,
            unknown_tagged_fields,
        })
    }
}

impl Write for FetchPartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        if false {
            w.int32(self.partition_max_bytes);
        } else if self.partition_max_bytes != 0 {
            w.not_in_version("PartitionMaxBytes");
        }
        w.array(&self.acknowledgement_batches);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchRequest`], versions 1-2.
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

/// Part of [`ShareFetchRequest`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ForgottenTopic {
    pub topic_id: TopicId,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ForgottenTopic {
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

impl Write for ForgottenTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareFetchRequest {
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

impl Message for ShareFetchRequest {
    const KEY: ApiKey = ApiKey::ShareFetch;
    const VERSION_MIN: i16 = ShareFetchRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ShareFetchRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareFetchRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareFetchRequest::encode(self, out, version)
    }
}

impl Request for ShareFetchRequest {
    type Response = super::ShareFetchResponse;
}
