// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeTopicPartitionsResponse, API key 75.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// DescribeTopicPartitionsResponse, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeTopicPartitionsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    pub next_cursor: Option<Cursor>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeTopicPartitionsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let topics = r.array()?;
        let next_cursor = r.option_struct(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            next_cursor,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeTopicPartitionsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.topics);
        w.option_struct(self.next_cursor.as_ref(), true, "NextCursor");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    pub error_code: i16,
    pub name: Option<String>,
    pub topic_id: TopicId,
    pub is_internal: bool,
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    pub topic_authorized_operations: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeTopicPartitionsResponseTopic {
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

impl Read for DescribeTopicPartitionsResponseTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let name = r.option_string(true)?;
        let topic_id = r.topic_id()?;
        let is_internal = r.bool()?;
        let partitions = r.array()?;
        let topic_authorized_operations = r.int32()?;
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

impl Write for DescribeTopicPartitionsResponseTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.name.as_deref(), true, "Name");
        w.topic_id(self.topic_id);
        w.bool(self.is_internal);
        w.array(&self.partitions);
        w.int32(self.topic_authorized_operations);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub eligible_leader_replicas: Option<Vec<i32>>,
    pub last_known_elr: Option<Vec<i32>>,
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeTopicPartitionsResponsePartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let partition_index = r.int32()?;
        let leader_id = r.int32()?;
        let leader_epoch = r.int32()?;
        let replica_nodes = r.array()?;
        let isr_nodes = r.array()?;
        let eligible_leader_replicas = r.option_array(true)?;
        let last_known_elr = r.option_array(true)?;
        let offline_replicas = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            partition_index,
            leader_id,
            leader_epoch,
            replica_nodes,
            isr_nodes,
            eligible_leader_replicas,
            last_known_elr,
            offline_replicas,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeTopicPartitionsResponsePartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.int32(self.partition_index);
        w.int32(self.leader_id);
        w.int32(self.leader_epoch);
        w.array(&self.replica_nodes);
        w.array(&self.isr_nodes);
        w.option_array(
            self.eligible_leader_replicas.as_deref(),
            true,
            "EligibleLeaderReplicas",
        );
        w.option_array(self.last_known_elr.as_deref(), true, "LastKnownElr");
        w.array(&self.offline_replicas);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cursor {
    pub topic_name: String,
    pub partition_index: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Cursor {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_name = r.string()?;
        let partition_index = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_name,
            partition_index,
            unknown_tagged_fields,
        })
    }
}

impl Write for Cursor {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.topic_name);
        w.int32(self.partition_index);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeTopicPartitionsResponse {
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

impl Message for DescribeTopicPartitionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    const VERSION_MIN: i16 = DescribeTopicPartitionsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeTopicPartitionsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeTopicPartitionsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeTopicPartitionsResponse::encode(self, out, version)
    }
}
