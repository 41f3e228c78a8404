// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListConfigResourcesRequest, API key 74.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListConfigResourcesRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListConfigResourcesRequest {
    /// Versions 1.
    pub resource_types: Vec<i8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListConfigResourcesRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let resource_types = if version >= 1 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_types,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListConfigResourcesRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.array(&self.resource_types);
        } else if !self.resource_types.is_empty() {
            w.not_in_version("ResourceTypes");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListConfigResourcesRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 1;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, true);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, true);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    const VERSION_MIN: i16 = ListConfigResourcesRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ListConfigResourcesRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListConfigResourcesRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListConfigResourcesRequest::encode(self, out, version)
    }
}

impl Request for ListConfigResourcesRequest {
    type Response = super::ListConfigResourcesResponse;
}
