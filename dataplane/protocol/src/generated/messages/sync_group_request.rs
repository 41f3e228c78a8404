// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SyncGroupRequest, API key 14.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// SyncGroupRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupRequest {
    pub group_id: String,
    pub generation_id: i32,
    pub member_id: String,
    /// Versions 3-5.
    pub group_instance_id: Option<String>,
    /// Versions 5.
    pub protocol_type: Option<String>,
    /// Versions 5.
    pub protocol_name: Option<String>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SyncGroupRequest {
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
        let protocol_type = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let protocol_name = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let assignments = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            generation_id,
            member_id,
            group_instance_id,
            protocol_type,
            protocol_name,
            assignments,
            unknown_tagged_fields,
        })
    }
}

impl Write for SyncGroupRequest {
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
        if version >= 5 {
            w.option_string(self.protocol_type.as_deref(), true, "ProtocolType");
        }
        if version >= 5 {
            w.option_string(self.protocol_name.as_deref(), true, "ProtocolName");
        }
        w.array(&self.assignments);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`SyncGroupRequest`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupRequestAssignment {
    pub member_id: String,
    pub assignment: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SyncGroupRequestAssignment {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let member_id = r.string()?;
        let assignment = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            assignment,
            unknown_tagged_fields,
        })
    }
}

impl Write for SyncGroupRequestAssignment {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.member_id);
        w.bytes(&self.assignment);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl SyncGroupRequest {
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

impl Message for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
    const VERSION_MIN: i16 = SyncGroupRequest::VERSION_MIN;
    const VERSION_MAX: i16 = SyncGroupRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SyncGroupRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SyncGroupRequest::encode(self, out, version)
    }
}

impl Request for SyncGroupRequest {
    type Response = super::SyncGroupResponse;
}
