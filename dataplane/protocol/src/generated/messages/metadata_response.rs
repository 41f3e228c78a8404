// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! MetadataResponse, API key 3.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// MetadataResponse, versions 0-13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// Versions 3-13.
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    /// Versions 2-13.
    pub cluster_id: Option<String>,
    /// Versions 1-13.
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    /// Versions 8-10.
    pub cluster_authorized_operations: i32,
    /// Versions 13.
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            error_code: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for MetadataResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 3 { r.int32()? } else { 0 };
        let brokers = r.array()?;
        let cluster_id = if version >= 2 {
            r.option_string(true)?
        } else {
            None
        };
        let controller_id = if version >= 1 { r.int32()? } else { -1 };
        let topics = r.array()?;
        let cluster_authorized_operations = if (8..=10).contains(&version) {
            r.int32()?
        } else {
            i32::MIN
        };
        let error_code = if version >= 13 { r.int16()? } else { 0 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            brokers,
            cluster_id,
            controller_id,
            topics,
            cluster_authorized_operations,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for MetadataResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 3 {
            w.int32(self.throttle_time_ms);
        }
        w.array(&self.brokers);
        if version >= 2 {
            w.option_string(self.cluster_id.as_deref(), true, "ClusterId");
        }
        if version >= 1 {
            w.int32(self.controller_id);
        }
        w.array(&self.topics);
        if (8..=10).contains(&version) {
            w.int32(self.cluster_authorized_operations);
        } else if self.cluster_authorized_operations != i32::MIN {
            w.not_in_version("ClusterAuthorizedOperations");
        }
        if version >= 13 {
            w.int16(self.error_code);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`MetadataResponse`], versions 0-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    /// Versions 1-13.
    pub rack: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for MetadataResponseBroker {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let node_id = r.int32()?;
        let host = r.string()?;
        let port = r.int32()?;
        let rack = if version >= 1 {
            r.option_string(true)?
        } else {
            None
        };
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

impl Write for MetadataResponseBroker {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.node_id);
        w.string(&self.host);
        w.int32(self.port);
        if version >= 1 {
            w.option_string(self.rack.as_deref(), true, "Rack");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`MetadataResponse`], versions 0-13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    /// May be null in versions 12-13.
    pub name: Option<String>,
    /// Versions 10-13.
    pub topic_id: TopicId,
    /// Versions 1-13.
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    /// Versions 8-13.
    pub topic_authorized_operations: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: None,
            topic_id: TopicId::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for MetadataResponseTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let name = r.option_string(version >= 12)?;
        let topic_id = if version >= 10 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let is_internal = if version >= 1 { r.bool()? } else { false };
        let partitions = r.array()?;
        let topic_authorized_operations = if version >= 8 { r.int32()? } else { i32::MIN };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            name,
            topic_id,
            is_internal,
            partitions,
            topic_authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for MetadataResponseTopic {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        w.option_string(self.name.as_deref(), version >= 12, "Name");
        if version >= 10 {
            w.topic_id(self.topic_id);
        }
        if version >= 1 {
            w.bool(self.is_internal);
        }
        w.array(&self.partitions);
        if version >= 8 {
            w.int32(self.topic_authorized_operations);
        } else if self.topic_authorized_operations != i32::MIN {
            w.not_in_version("TopicAuthorizedOperations");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`MetadataResponse`], versions 0-13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    /// Versions 7-13.
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    /// Versions 5-13.
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for MetadataResponsePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let partition_index = r.int32()?;
        let leader_id = r.int32()?;
        let leader_epoch = if version >= 7 { r.int32()? } else { -1 };
        let replica_nodes = r.array()?;
        let isr_nodes = r.array()?;
        let offline_replicas = if version >= 5 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            partition_index,
            leader_id,
            leader_epoch,
            replica_nodes,
            isr_nodes,
            offline_replicas,
            unknown_tagged_fields,
        })
    }
}

impl Write for MetadataResponsePartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        w.int32(self.partition_index);
        w.int32(self.leader_id);
        if version >= 7 {
            w.int32(self.leader_epoch);
        }
        w.array(&self.replica_nodes);
        w.array(&self.isr_nodes);
        if version >= 5 {
            w.array(&self.offline_replicas);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl MetadataResponse {
    pub const VERSION_MIN: i16 = 0;
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

impl Message for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;
    const VERSION_MIN: i16 = MetadataResponse::VERSION_MIN;
    const VERSION_MAX: i16 = MetadataResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        MetadataResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        MetadataResponse::encode(self, out, version)
    }
}
