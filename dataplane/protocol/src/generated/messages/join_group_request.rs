// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! JoinGroupRequest, API key 11.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// JoinGroupRequest, versions 0-9.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    pub group_id: String,
    pub session_timeout_ms: i32,
    /// Versions 1-9.
    pub rebalance_timeout_ms: i32,
    pub member_id: String,
    /// Versions 5-9.
    pub group_instance_id: Option<String>,
    pub protocol_type: String,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Versions 8-9.
    pub reason: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: String::new(),
            group_instance_id: None,
            protocol_type: String::new(),
            protocols: Vec::new(),
            reason: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for JoinGroupRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let session_timeout_ms = r.int32()?;
        let rebalance_timeout_ms = if version >= 1 { r.int32()? } else { -1 };
        let member_id = r.string()?;
        let group_instance_id = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let protocol_type = r.string()?;
        let protocols = r.array()?;
        let reason = if version >= 8 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            session_timeout_ms,
            rebalance_timeout_ms,
            member_id,
            group_instance_id,
            protocol_type,
            protocols,
            reason,
            unknown_tagged_fields,
        })
    }
}

impl Write for JoinGroupRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        w.int32(self.session_timeout_ms);
        if version >= 1 {
            w.int32(self.rebalance_timeout_ms);
        }
        w.string(&self.member_id);
        if version >= 5 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        } else if self.group_instance_id.is_some() {
            w.not_in_version("GroupInstanceId");
        }
        w.string(&self.protocol_type);
        w.array(&self.protocols);
        if version >= 8 {
            w.option_string(self.reason.as_deref(), true, "Reason");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`JoinGroupRequest`], versions 0-9.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JoinGroupRequestProtocol {
    pub name: String,
    pub metadata: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for JoinGroupRequestProtocol {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let metadata = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            metadata,
            unknown_tagged_fields,
        })
    }
}

impl Write for JoinGroupRequestProtocol {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.bytes(&self.metadata);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl JoinGroupRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 9;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 6);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 6);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    const VERSION_MIN: i16 = JoinGroupRequest::VERSION_MIN;
    const VERSION_MAX: i16 = JoinGroupRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        JoinGroupRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        JoinGroupRequest::encode(self, out, version)
    }
}

impl Request for JoinGroupRequest {
    type Response = super::JoinGroupResponse;
}
