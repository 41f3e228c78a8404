// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareAcknowledgeResponse, API key 79.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareAcknowledgeResponse, versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareAcknowledgeResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Versions 2.
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareAcknowledgeResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let acquisition_lock_timeout_ms = if version >= 2 { r.int32()? } else { 0 };
        let responses = r.array()?;
        let node_endpoints = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            acquisition_lock_timeout_ms,
            responses,
            node_endpoints,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareAcknowledgeResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        if version >= 2 {
            w.int32(self.acquisition_lock_timeout_ms);
        }
        w.array(&self.responses);
        w.array(&self.node_endpoints);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareAcknowledgeTopicResponse {
    pub topic_id: TopicId,
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareAcknowledgeTopicResponse {
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

impl Write for ShareAcknowledgeTopicResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for PartitionData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let current_leader = LeaderIdAndEpoch::read(r)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            error_message,
            current_leader,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionData {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        self.current_leader.write(w);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for LeaderIdAndEpoch {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let leader_id = r.int32()?;
        let leader_epoch = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            leader_id,
            leader_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for LeaderIdAndEpoch {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.leader_id);
        w.int32(self.leader_epoch);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for NodeEndpoint {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let node_id = r.int32()?;
        let host = r.string()?;
        let port = r.int32()?;
        let rack = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            node_id,
            host,
            port,
            rack,
            unknown_tagged_fields,
        })
    }
}

impl Write for NodeEndpoint {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.node_id);
        w.string(&self.host);
        w.int32(self.port);
        w.option_string(self.rack.as_deref(), true, "Rack");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareAcknowledgeResponse {
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

impl Message for ShareAcknowledgeResponse {
    const KEY: ApiKey = ApiKey::ShareAcknowledge;
    const VERSION_MIN: i16 = ShareAcknowledgeResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ShareAcknowledgeResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareAcknowledgeResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareAcknowledgeResponse::encode(self, out, version)
    }
}
