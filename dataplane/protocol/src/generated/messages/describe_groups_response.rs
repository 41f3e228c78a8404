// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeGroupsResponse, API key 15.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeGroupsResponse, versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeGroupsResponse {
    /// Versions 1-6.
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeGroupsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let groups = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            groups,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeGroupsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        w.array(&self.groups);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeGroupsResponse`], versions 0-6.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    /// Versions 6.
    pub error_message: Option<String>,
    pub group_id: String,
    pub group_state: String,
    pub protocol_type: String,
    pub protocol_data: String,
    pub members: Vec<DescribedGroupMember>,
    /// Versions 3-6.
    pub authorized_operations: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: String::new(),
            group_state: String::new(),
            protocol_type: String::new(),
            protocol_data: String::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribedGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let error_message = if version >= 6 {
            r.option_string(true)?
        } else {
            None
        };
        let group_id = r.string()?;
        let group_state = r.string()?;
        let protocol_type = r.string()?;
        let protocol_data = r.string()?;
        let members = r.array()?;
        let authorized_operations = if version >= 3 { r.int32()? } else { i32::MIN };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            group_id,
            group_state,
            protocol_type,
            protocol_data,
            members,
            authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribedGroup {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        if version >= 6 {
            w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        } else if self.error_message.is_some() {
            w.not_in_version("ErrorMessage");
        }
        w.string(&self.group_id);
        w.string(&self.group_state);
        w.string(&self.protocol_type);
        w.string(&self.protocol_data);
        w.array(&self.members);
        if version >= 3 {
            w.int32(self.authorized_operations);
        } else if self.authorized_operations != i32::MIN {
            w.not_in_version("AuthorizedOperations");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeGroupsResponse`], versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribedGroupMember {
    pub member_id: String,
    /// Versions 4-6.
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub member_metadata: Vec<u8>,
    pub member_assignment: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribedGroupMember {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let member_id = r.string()?;
        let group_instance_id = if version >= 4 {
            r.option_string(true)?
        } else {
            None
        };
        let client_id = r.string()?;
        let client_host = r.string()?;
        let member_metadata = r.bytes()?;
        let member_assignment = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            group_instance_id,
            client_id,
            client_host,
            member_metadata,
            member_assignment,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribedGroupMember {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.member_id);
        if version >= 4 {
            w.option_string(self.group_instance_id.as_deref(), true, "GroupInstanceId");
        }
        w.string(&self.client_id);
        w.string(&self.client_host);
        w.bytes(&self.member_metadata);
        w.bytes(&self.member_assignment);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeGroupsResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 6;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 5);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 5);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for DescribeGroupsResponse {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    const VERSION_MIN: i16 = DescribeGroupsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeGroupsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeGroupsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeGroupsResponse::encode(self, out, version)
    }
}
