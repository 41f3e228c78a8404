// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! HeartbeatRequest, API key 12.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// HeartbeatRequest, versions 0-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HeartbeatRequest {
    pub group_id: String,
    pub generation_id: i32,
    pub member_id: String,
    /// Versions 3-4.
    pub group_instance_id: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for HeartbeatRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let generation_id = r.int32()?;
        let member_id = r.string()?;
        let group_instance_id = if version >= 3 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            generation_id,
            member_id,
            group_instance_id,
            unknown_tagged_fields,
        })
    }
}

impl Write for HeartbeatRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        w.int32(self.generation_id);
        w.string(&self.member_id);
        if version >= 3 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        } else if self.group_instance_id.is_some() {
            w.not_in_version("GroupInstanceId");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl HeartbeatRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 4;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 4);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 4);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
    const VERSION_MIN: i16 = HeartbeatRequest::VERSION_MIN;
    const VERSION_MAX: i16 = HeartbeatRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        HeartbeatRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        HeartbeatRequest::encode(self, out, version)
    }
}

impl Request for HeartbeatRequest {
    type Response = super::HeartbeatResponse;
}
