// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteGroupsRequest, API key 42.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DeleteGroupsRequest, versions 0-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteGroupsRequest {
    pub groups_names: Vec<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteGroupsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let groups_names = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            groups_names,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteGroupsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.groups_names);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteGroupsRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 3;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 2);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 2);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for DeleteGroupsRequest {
    const KEY: ApiKey = ApiKey::DeleteGroups;
    const VERSION_MIN: i16 = DeleteGroupsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteGroupsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteGroupsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteGroupsRequest::encode(self, out, version)
    }
}

impl Request for DeleteGroupsRequest {
    type Response = super::DeleteGroupsResponse;
}
