// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupHeartbeatRequest, API key 76.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ShareGroupHeartbeatRequest, versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupHeartbeatRequest {
    pub group_id: String,
    pub member_id: String,
    pub member_epoch: i32,
    pub rack_id: Option<String>,
    pub subscribed_topic_names: Option<Vec<String>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareGroupHeartbeatRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let group_id = r.string()?;
        let member_id = r.string()?;
        let member_epoch = r.int32()?;
        let rack_id = r.option_string(true)?;
        let subscribed_topic_names = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            member_epoch,
            rack_id,
            subscribed_topic_names,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareGroupHeartbeatRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.group_id);
        w.string(&self.member_id);
        w.int32(self.member_epoch);
        w.option_string(self.rack_id.as_deref(), true, "RackId");
        w.option_array(
            self.subscribed_topic_names.as_deref(),
            true,
            "SubscribedTopicNames",
        );
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareGroupHeartbeatRequest {
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

impl Message for ShareGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ShareGroupHeartbeat;
    const VERSION_MIN: i16 = ShareGroupHeartbeatRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ShareGroupHeartbeatRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareGroupHeartbeatRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareGroupHeartbeatRequest::encode(self, out, version)
    }
}

impl Request for ShareGroupHeartbeatRequest {
    type Response = super::ShareGroupHeartbeatResponse;
}
