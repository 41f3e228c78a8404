// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! JoinGroupResponse, API key 11.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// JoinGroupResponse, versions 0-9.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// Versions 2-9.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    /// Versions 7-9.
    pub protocol_type: Option<String>,
    /// May be null in versions 7-9.
    pub protocol_name: Option<String>,
    pub leader: String,
    /// Versions 9.
    pub skip_assignment: bool,
    pub member_id: String,
    pub members: Vec<JoinGroupResponseMember>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: None,
            leader: String::new(),
            skip_assignment: false,
            member_id: String::new(),
            members: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for JoinGroupResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 2 { r.int32()? } else { 0 };
        let error_code = r.int16()?;
        let generation_id = r.int32()?;
        let protocol_type = if version >= 7 {
            r.option_string(true)?
        } else {
            None
        };
        let protocol_name = r.option_string(version >= 7)?;
        let leader = r.string()?;
        let skip_assignment = if version >= 9 { r.bool()? } else { false };
        let member_id = r.string()?;
        let members = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            generation_id,
            protocol_type,
            protocol_name,
            leader,
            skip_assignment,
            member_id,
            members,
            unknown_tagged_fields,
        })
    }
}

impl Write for JoinGroupResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 2 {
            w.int32(self.throttle_time_ms);
        }
        w.int16(self.error_code);
        w.int32(self.generation_id);
        if version >= 7 {
            w.option_string(self.protocol_type.as_deref(), true, "ProtocolType");
        }
        w.option_string(self.protocol_name.as_deref(), version >= 7, "ProtocolName");
        w.string(&self.leader);
        if version >= 9 {
            w.bool(self.skip_assignment);
        } else if self.skip_assignment {
            w.not_in_version("SkipAssignment");
        }
        w.string(&self.member_id);
        w.array(&self.members);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`JoinGroupResponse`], versions 0-9.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JoinGroupResponseMember {
    pub member_id: String,
    /// Versions 5-9.
    pub group_instance_id: Option<String>,
    pub metadata: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for JoinGroupResponseMember {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let member_id = r.string()?;
        let group_instance_id = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let metadata = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            group_instance_id,
            metadata,
            unknown_tagged_fields,
        })
    }
}

impl Write for JoinGroupResponseMember {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.member_id);
        if version >= 5 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        }
        w.bytes(&self.metadata);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl JoinGroupResponse {
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

impl Message for JoinGroupResponse {
    const KEY: ApiKey = ApiKey::JoinGroup;
    const VERSION_MIN: i16 = JoinGroupResponse::VERSION_MIN;
    const VERSION_MAX: i16 = JoinGroupResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        JoinGroupResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        JoinGroupResponse::encode(self, out, version)
    }
}
