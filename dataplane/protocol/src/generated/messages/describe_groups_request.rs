// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeGroupsRequest, API key 15.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeGroupsRequest, versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<String>,
    /// Versions 3-6.
    pub include_authorized_operations: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeGroupsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let groups = r.array()?;
        let include_authorized_operations = if version >= 3 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            groups,
            include_authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeGroupsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.array(&self.groups);
        if version >= 3 {
            w.bool(self.include_authorized_operations);
        } else if self.include_authorized_operations {
            w.not_in_version("IncludeAuthorizedOperations");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeGroupsRequest {
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

impl Message for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    const VERSION_MIN: i16 = DescribeGroupsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeGroupsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeGroupsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeGroupsRequest::encode(self, out, version)
    }
}

impl Request for DescribeGroupsRequest {
    type Response = super::DescribeGroupsResponse;
}
