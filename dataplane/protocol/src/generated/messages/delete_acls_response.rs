// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteAclsResponse, API key 31.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DeleteAclsResponse, versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteAclsResponse {
    pub throttle_time_ms: i32,
    pub filter_results: Vec<DeleteAclsFilterResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteAclsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let filter_results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            filter_results,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteAclsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.filter_results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteAclsResponse`], versions 1-3.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteAclsFilterResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DeleteAclsFilterResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let matching_acls = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            matching_acls,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteAclsFilterResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.array(&self.matching_acls);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DeleteAclsResponse`], versions 1-3.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsMatchingAcl {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    pub pattern_type: i8,
    pub principal: String,
    pub host: String,
    pub operation: i8,
    pub permission_type: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            resource_type: 0,
            resource_name: String::new(),
            pattern_type: 3,
            principal: String::new(),
            host: String::new(),
            operation: 0,
            permission_type: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DeleteAclsMatchingAcl {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let pattern_type = r.int8()?;
        let principal = r.string()?;
        let host = r.string()?;
        let operation = r.int8()?;
        let permission_type = r.int8()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            resource_type,
            resource_name,
            pattern_type,
            principal,
            host,
            operation,
            permission_type,
            unknown_tagged_fields,
        })
    }
}

impl Write for DeleteAclsMatchingAcl {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.int8(self.pattern_type);
        w.string(&self.principal);
        w.string(&self.host);
        w.int8(self.operation);
        w.int8(self.permission_type);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DeleteAclsResponse {
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

impl Message for DeleteAclsResponse {
    const KEY: ApiKey = ApiKey::DeleteAcls;
    const VERSION_MIN: i16 = DeleteAclsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DeleteAclsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DeleteAclsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DeleteAclsResponse::encode(self, out, version)
    }
}
