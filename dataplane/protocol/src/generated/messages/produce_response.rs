// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ProduceResponse, API key 0.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ProduceResponse, versions 3-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    /// Versions 10-13. Tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ProduceResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let responses = r.array()?;
        let throttle_time_ms = r.int32()?;
        let mut node_endpoints = Vec::new();
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 10 => {
                        node_endpoints = field.array()?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            responses,
            throttle_time_ms,
            node_endpoints,
            unknown_tagged_fields,
        })
    }
}

impl Write for ProduceResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.array(&self.responses);
        w.int32(self.throttle_time_ms);
        if version < 10 && !self.node_endpoints.is_empty() {
            w.not_in_version("NodeEndpoints");
        }
        let has_node_endpoints = version >= 10 && !self.node_endpoints.is_empty();
        if w.flexible() {
            let mut tags = w.tags(u32::from(has_node_endpoints), &self.unknown_tagged_fields);
            if has_node_endpoints {
                w.tagged(&mut tags, 0, |w| {
                    w.array(&self.node_endpoints);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`ProduceResponse`], versions 3-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicProduceResponse {
    /// Versions 3-12.
    pub name: String,
    /// Versions 13.
    pub topic_id: TopicId,
    pub partition_responses: Vec<PartitionProduceResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicProduceResponse {
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
        let partition_responses = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            partition_responses,
            unknown_tagged_fields,
        })
    }
}

impl Write for TopicProduceResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 12 {
            w.string(&self.name);
        }
        if version >= 13 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partition_responses);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ProduceResponse`], versions 3-13.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    /// Versions 5-13.
    pub log_start_offset: i64,
    /// Versions 8-13.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Versions 8-13.
    pub error_message: Option<String>,
    /// Versions 10-13. Tag 0.
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for PartitionProduceResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let index = r.int32()?;
        let error_code = r.int16()?;
        let base_offset = r.int64()?;
        let log_append_time_ms = r.int64()?;
        let log_start_offset = if version >= 5 { r.int64()? } else { -1 };
        let record_errors = if version >= 8 { r.array()? } else { Vec::new() };
        let error_message = if version >= 8 {
            r.option_string(true)?
        } else {
            None
        };
        let mut current_leader = LeaderIdAndEpoch::default();
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 10 => {
                        current_leader = LeaderIdAndEpoch::read(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            index,
            error_code,
            base_offset,
            log_append_time_ms,
            log_start_offset,
            record_errors,
            error_message,
            current_leader,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionProduceResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.index);
        w.int16(self.error_code);
        w.int64(self.base_offset);
        w.int64(self.log_append_time_ms);
        if version >= 5 {
            w.int64(self.log_start_offset);
        }
        if version >= 8 {
            w.array(&self.record_errors);
        }
        if version >= 8 {
            w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        }
        if version < 10 && self.current_leader != LeaderIdAndEpoch::default() {
            w.not_in_version("CurrentLeader");
        }
        let has_current_leader =
            version >= 10 && self.current_leader != LeaderIdAndEpoch::default();
        if w.flexible() {
            let mut tags = w.tags(u32::from(has_current_leader), &self.unknown_tagged_fields);
            if has_current_leader {
                w.tagged(&mut tags, 0, |w| {
                    self.current_leader.write(w);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`ProduceResponse`], versions 8-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    pub batch_index_error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for BatchIndexAndErrorMessage {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let batch_index = r.int32()?;
        let batch_index_error_message = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            batch_index,
            batch_index_error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for BatchIndexAndErrorMessage {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.batch_index);
        w.option_string(
            self.batch_index_error_message.as_deref(),
            true,
            "BatchIndexErrorMessage",
        );
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ProduceResponse`], versions 10-13.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
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

/// Part of [`ProduceResponse`], versions 10-13.
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

impl ProduceResponse {
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

impl Message for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;
    const VERSION_MIN: i16 = ProduceResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ProduceResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ProduceResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ProduceResponse::encode(self, out, version)
    }
}
