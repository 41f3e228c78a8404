// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListGroupsResponse, API key 16.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListGroupsResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListGroupsResponse {
    /// Versions 1-5.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListGroupsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let error_code = r.int16()?;
        let groups = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            groups,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListGroupsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        w.int16(self.error_code);
        w.array(&self.groups);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListGroupsResponse`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListedGroup {
    pub group_id: String,
    pub protocol_type: String,
    /// Versions 4-5.
    pub group_state: String,
    /// Versions 5.
    pub group_type: String,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListedGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let protocol_type = r.string()?;
        let group_state = if version >= 4 {
            r.string()?
        } else {
            String::new()
        };
        let group_type = if version >= 5 {
            r.string()?
        } else {
            String::new()
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            protocol_type,
            group_state,
            group_type,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListedGroup {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        w.string(&self.protocol_type);
        if version >= 4 {
            w.string(&self.group_state);
        }
        if version >= 5 {
            w.string(&self.group_type);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListGroupsResponse {
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
        let mut r = Reader::new(body, version, version >= 3);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 3);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ListGroupsResponse {
    const KEY: ApiKey = ApiKey::ListGroups;
    const VERSION_MIN: i16 = ListGroupsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ListGroupsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListGroupsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListGroupsResponse::encode(self, out, version)
    }
}
