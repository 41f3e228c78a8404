// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! LeaveGroupResponse, API key 13.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// LeaveGroupResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaveGroupResponse {
    /// Versions 1-5.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Versions 3-5.
    pub members: Vec<MemberResponse>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for LeaveGroupResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let error_code = r.int16()?;
        let members = if version >= 3 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            members,
            unknown_tagged_fields,
        })
    }
}

impl Write for LeaveGroupResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        w.int16(self.error_code);
        if version >= 3 {
            w.array(&self.members);
        } else if !self.members.is_empty() {
            w.not_in_version("Members");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`LeaveGroupResponse`], versions 3-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemberResponse {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for MemberResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let member_id = r.string()?;
        let group_instance_id = r.option_string(true)?;
        let error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            group_instance_id,
            error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for MemberResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.member_id);
        w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        w.int16(self.error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl LeaveGroupResponse {
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

impl Message for LeaveGroupResponse {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    const VERSION_MIN: i16 = LeaveGroupResponse::VERSION_MIN;
    const VERSION_MAX: i16 = LeaveGroupResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        LeaveGroupResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        LeaveGroupResponse::encode(self, out, version)
    }
}
