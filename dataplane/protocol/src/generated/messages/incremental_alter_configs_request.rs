// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! IncrementalAlterConfigsRequest, API key 44.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// IncrementalAlterConfigsRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    pub validate_only: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for IncrementalAlterConfigsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resources = r.array()?;
        let validate_only = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resources,
            validate_only,
            unknown_tagged_fields,
        })
    }
}

impl Write for IncrementalAlterConfigsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.resources);
        w.bool(self.validate_only);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterConfigsResource {
    pub resource_type: i8,
    pub resource_name: String,
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterConfigsResource {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let configs = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_type,
            resource_name,
            configs,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterConfigsResource {
    fn write(&self, w: &mut Writer<'_>) {
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.array(&self.configs);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterableConfig {
    pub name: String,
    pub config_operation: i8,
    pub value: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterableConfig {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let config_operation = r.int8()?;
        let value = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            config_operation,
            value,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterableConfig {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int8(self.config_operation);
        w.option_string(self.value.as_deref(), true, "Value");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl IncrementalAlterConfigsRequest {
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
        let mut r = Reader::new(body, version, version >= 1);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 1);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
    const VERSION_MIN: i16 = IncrementalAlterConfigsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = IncrementalAlterConfigsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        IncrementalAlterConfigsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        IncrementalAlterConfigsRequest::encode(self, out, version)
    }
}

impl Request for IncrementalAlterConfigsRequest {
    type Response = super::IncrementalAlterConfigsResponse;
}
