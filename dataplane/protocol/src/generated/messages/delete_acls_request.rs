// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteAclsRequest, API key 31.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DeleteAclsRequest, versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteAclsRequest {
    pub filters: Vec<DeleteAclsFilter>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteAclsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let filters = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            filters,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteAclsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.filters);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteAclsRequest`], versions 1-3.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilter {
    pub resource_type_filter: i8,
    pub resource_name_filter: Option<String>,
    pub pattern_type_filter: i8,
    pub principal_filter: Option<String>,
    pub host_filter: Option<String>,
    pub operation: i8,
    pub permission_type: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DeleteAclsFilter {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: None,
            pattern_type_filter: 3,
            principal_filter: None,
            host_filter: None,
            operation: 0,
            permission_type: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DeleteAclsFilter {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resource_type_filter = r.int8()?;
        let resource_name_filter = r.option_string(true)?;
        let pattern_type_filter = r.int8()?;
        let principal_filter = r.option_string(true)?;
        let host_filter = r.option_string(true)?;
        let operation = r.int8()?;
        let permission_type = r.int8()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_type_filter,
            resource_name_filter,
            pattern_type_filter,
            principal_filter,
            host_filter,
            operation,
            permission_type,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteAclsFilter {
    fn write(&self, w: &mut Writer<'_>) {
        w.int8(self.resource_type_filter);
        w.option_string(
            self.resource_name_filter.as_deref(),
            true,
            "ResourceNameFilter",
        );
        w.int8(self.pattern_type_filter);
        w.option_string(self.principal_filter.as_deref(), true, "PrincipalFilter");
        w.option_string(self.host_filter.as_deref(), true, "HostFilter");
        w.int8(self.operation);
        w.int8(self.permission_type);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteAclsRequest {
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

impl Message for DeleteAclsRequest {
    const KEY: ApiKey = ApiKey::DeleteAcls;
    const VERSION_MIN: i16 = DeleteAclsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteAclsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteAclsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteAclsRequest::encode(self, out, version)
    }
}

impl Request for DeleteAclsRequest {
    type Response = super::DeleteAclsResponse;
}
