// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListGroupsRequest, API key 16.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListGroupsRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListGroupsRequest {
    /// Versions 4-5.
    pub states_filter: Vec<String>,
    /// Versions 5.
    pub types_filter: Vec<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListGroupsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let states_filter = if version >= 4 { r.array()? } else { Vec::new() };
        let types_filter = if version >= 5 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            states_filter,
            types_filter,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListGroupsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 4 {
            w.array(&self.states_filter);
        } else if !self.states_filter.is_empty() {
            w.not_in_version("StatesFilter");
        }
        if version >= 5 {
            w.array(&self.types_filter);
        } else if !self.types_filter.is_empty() {
            w.not_in_version("TypesFilter");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListGroupsRequest {
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

impl Message for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    const VERSION_MIN: i16 = ListGroupsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ListGroupsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListGroupsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListGroupsRequest::encode(self, out, version)
    }
}

impl Request for ListGroupsRequest {
    type Response = super::ListGroupsResponse;
}
