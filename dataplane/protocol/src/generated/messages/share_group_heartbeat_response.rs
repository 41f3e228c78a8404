// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupHeartbeatResponse, API key 76.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareGroupHeartbeatResponse, versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub member_id: Option<String>,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    pub assignment: Option<Assignment>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareGroupHeartbeatResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let member_id = r.option_string(true)?;
        let member_epoch = r.int32()?;
        let heartbeat_interval_ms = r.int32()?;
        let assignment = r.option_struct(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            member_id,
            member_epoch,
            heartbeat_interval_ms,
            assignment,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareGroupHeartbeatResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.option_string(self.member_id.as_deref(), true, "MemberId");
        w.int32(self.member_epoch);
        w.int32(self.heartbeat_interval_ms);
        w.option_struct(self.assignment.as_ref(), true, "Assignment");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupHeartbeatResponse`], versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Assignment {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for Assignment {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.topic_partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupHeartbeatResponse`], versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    pub topic_id: TopicId,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicPartitions {
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

impl Write for TopicPartitions {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareGroupHeartbeatResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 1;

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

impl Message for ShareGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::ShareGroupHeartbeat;
    const VERSION_MIN: i16 = ShareGroupHeartbeatResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ShareGroupHeartbeatResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareGroupHeartbeatResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareGroupHeartbeatResponse::encode(self, out, version)
    }
}
