// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ConsumerGroupHeartbeatRequest, API key 68.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ConsumerGroupHeartbeatRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    pub group_id: String,
    pub member_id: String,
    pub member_epoch: i32,
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub rebalance_timeout_ms: i32,
    pub subscribed_topic_names: Option<Vec<String>>,
    /// Versions 1.
    pub subscribed_topic_regex: Option<String>,
    pub server_assignor: Option<String>,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: String::new(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ConsumerGroupHeartbeatRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let member_id = r.string()?;
        let member_epoch = r.int32()?;
        let instance_id = r.option_string(true)?;
        let rack_id = r.option_string(true)?;
        let rebalance_timeout_ms = r.int32()?;
        let subscribed_topic_names = r.option_array(true)?;
        let subscribed_topic_regex = if version >= 1 {
            r.option_string(true)?
        } else {
            None
        };
        let server_assignor = r.option_string(true)?;
        let topic_partitions = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            member_epoch,
            instance_id,
            rack_id,
            rebalance_timeout_ms,
            subscribed_topic_names,
            subscribed_topic_regex,
            server_assignor,
            topic_partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for ConsumerGroupHeartbeatRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        w.string(&self.member_id);
        w.int32(self.member_epoch);
        w.option_string(self.instance_id.as_deref(), true, "InstanceId");
        w.option_string(self.rack_id.as_deref(), true, "RackId");
        w.int32(self.rebalance_timeout_ms);
        w.option_array(
            self.subscribed_topic_names.as_deref(),
            true,
            "SubscribedTopicNames",
        );
        if version >= 1 {
            w.option_string(
                self.subscribed_topic_regex.as_deref(),
                true,
                "SubscribedTopicRegex",
            );
        } else if self.subscribed_topic_regex.is_some() {
            w.not_in_version("SubscribedTopicRegex");
        }
        w.option_string(self.server_assignor.as_deref(), true, "ServerAssignor");
        w.option_array(self.topic_partitions.as_deref(), true, "TopicPartitions");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ConsumerGroupHeartbeatRequest`], versions 0-1.
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

impl ConsumerGroupHeartbeatRequest {
    pub const VERSION_MIN: i16 = 0;
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

impl Message for ConsumerGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
    const VERSION_MIN: i16 = ConsumerGroupHeartbeatRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ConsumerGroupHeartbeatRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ConsumerGroupHeartbeatRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ConsumerGroupHeartbeatRequest::encode(self, out, version)
    }
}

impl Request for ConsumerGroupHeartbeatRequest {
    type Response = super::ConsumerGroupHeartbeatResponse;
}
