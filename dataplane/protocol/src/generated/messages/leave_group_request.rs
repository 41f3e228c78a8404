// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! LeaveGroupRequest, API key 13.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// LeaveGroupRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaveGroupRequest {
    pub group_id: String,
    /// Versions 0-2.
    pub member_id: String,
    /// Versions 3-5.
    pub members: Vec<MemberIdentity>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for LeaveGroupRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let member_id = if version <= 2 {
            r.string()?
        } else {
            String::new()
        };
        let members = if version >= 3 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            members,
            unknown_tagged_fields,
        })
    }
}

impl Write for LeaveGroupRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        if version <= 2 {
            w.string(&self.member_id);
        } else if !self.member_id.is_empty() {
            w.not_in_version("MemberId");
        }
        if version >= 3 {
            w.array(&self.members);
        } else if !self.members.is_empty() {
            w.not_in_version("Members");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`LeaveGroupRequest`], versions 3-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemberIdentity {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    /// Versions 5.
    pub reason: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for MemberIdentity {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let member_id = r.string()?;
        let group_instance_id = r.option_string(true)?;
        let reason = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            group_instance_id,
            reason,
            unknown_tagged_fields,
        })
    }
}

impl Write for MemberIdentity {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.member_id);
        w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        if version >= 5 {
            w.option_string(self.reason.as_deref(), true, "Reason");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl LeaveGroupRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 5;

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

impl Message for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    const VERSION_MIN: i16 = LeaveGroupRequest::VERSION_MIN;
    const VERSION_MAX: i16 = LeaveGroupRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        LeaveGroupRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        LeaveGroupRequest::encode(self, out, version)
    }
}

impl Request for LeaveGroupRequest {
    type Response = super::LeaveGroupResponse;
}
