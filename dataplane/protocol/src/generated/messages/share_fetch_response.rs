// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareFetchResponse, API key 78.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareFetchResponse, versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareFetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Vec<ShareFetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareFetchResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let acquisition_lock_timeout_ms = r.int32()?;
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

impl Write for ShareFetchResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.int32(self.acquisition_lock_timeout_ms);
        w.array(&self.responses);
        w.array(&self.node_endpoints);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareFetchableTopicResponse {
    pub topic_id: TopicId,
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareFetchableTopicResponse {
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

impl Write for ShareFetchableTopicResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub acknowledge_error_code: i16,
    pub acknowledge_error_message: Option<String>,
    pub current_leader: LeaderIdAndEpoch,
    pub records: Vec<u8>,
    pub acquired_records: Vec<AcquiredRecords>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for PartitionData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let acknowledge_error_code = r.int16()?;
        let acknowledge_error_message = r.option_string(true)?;
        let current_leader = LeaderIdAndEpoch::read(r)?;
        let records = r.bytes()?;
        let acquired_records = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            error_message,
            acknowledge_error_code,
            acknowledge_error_message,
            current_leader,
            records,
            acquired_records,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionData {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.int16(self.acknowledge_error_code);
        w.option_string(
            self.acknowledge_error_message.as_deref(),
            true,
            "AcknowledgeErrorMessage",
        );
        self.current_leader.write(w);
        w.bytes(&self.records);
        w.array(&self.acquired_records);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchResponse`], versions 1-2.
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

/// Part of [`ShareFetchResponse`], versions 1-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AcquiredRecords {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AcquiredRecords {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first_offset = r.int64()?;
        let last_offset = r.int64()?;
        let delivery_count = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            first_offset,
            last_offset,
            delivery_count,
            unknown_tagged_fields,
        })
    }
}

impl Write for AcquiredRecords {
    fn write(&self, w: &mut Writer<'_>) {
        w.int64(self.first_offset);
        w.int64(self.last_offset);
        w.int16(self.delivery_count);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareFetchResponse`], versions 1-2.
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

impl ShareFetchResponse {
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

impl Message for ShareFetchResponse {
    const KEY: ApiKey = ApiKey::ShareFetch;
    const VERSION_MIN: i16 = ShareFetchResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ShareFetchResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareFetchResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareFetchResponse::encode(self, out, version)
    }
}
