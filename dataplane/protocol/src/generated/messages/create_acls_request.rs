// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateAclsRequest, API key 30.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// CreateAclsRequest, versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateAclsRequest {
    pub creations: Vec<AclCreation>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreateAclsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let creations = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            creations,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreateAclsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.creations);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateAclsRequest`], versions 1-3.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    pub resource_type: i8,
    pub resource_name: String,
    pub resource_pattern_type: i8,
    pub principal: String,
    pub host: String,
    pub operation: i8,
    pub permission_type: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            resource_pattern_type: 3,
            principal: String::new(),
            host: String::new(),
            operation: 0,
            permission_type: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for AclCreation {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let resource_pattern_type = r.int8()?;
        let principal = r.string()?;
        let host = r.string()?;
        let operation = r.int8()?;
        let permission_type = r.int8()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_type,
            resource_name,
            resource_pattern_type,
            principal,
            host,
            operation,
            permission_type,
            unknown_tagged_fields,
        })
    }
}

impl Write for AclCreation {
    fn write(&self, w: &mut Writer<'_>) {
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.int8(self.resource_pattern_type);
        w.string(&self.principal);
        w.string(&self.host);
        w.int8(self.operation);
        w.int8(self.permission_type);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl CreateAclsRequest {
    pub const VERSION_MIN: i16 = 1;
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

impl Message for CreateAclsRequest {
    const KEY: ApiKey = ApiKey::CreateAcls;
    const VERSION_MIN: i16 = CreateAclsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = CreateAclsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        CreateAclsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        CreateAclsRequest::encode(self, out, version)
    }
}

impl Request for CreateAclsRequest {
    type Response = super::CreateAclsResponse;
}
