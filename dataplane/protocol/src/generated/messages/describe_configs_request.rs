// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeConfigsRequest, API key 32.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeConfigsRequest, versions 1-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    /// Versions 3-4.
    pub include_documentation: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeConfigsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let resources = r.array()?;
        let include_synonyms = r.bool()?;
        let include_documentation = if version >= 3 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resources,
            include_synonyms,
            include_documentation,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.array(&self.resources);
        w.bool(self.include_synonyms);
        if version >= 3 {
            w.bool(self.include_documentation);
        } else if self.include_documentation {
            w.not_in_version("IncludeDocumentation");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeConfigsRequest`], versions 1-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsResource {
    pub resource_type: i8,
    pub resource_name: String,
    pub configuration_keys: Option<Vec<String>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeConfigsResource {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let configuration_keys = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_type,
            resource_name,
            configuration_keys,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsResource {
    fn write(&self, w: &mut Writer<'_>) {
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.option_array(
            self.configuration_keys.as_deref(),
            true,
            "ConfigurationKeys",
        );
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeConfigsRequest {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 4;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 4);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 4);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    const VERSION_MIN: i16 = DescribeConfigsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeConfigsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeConfigsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeConfigsRequest::encode(self, out, version)
    }
}

impl Request for DescribeConfigsRequest {
    type Response = super::DescribeConfigsResponse;
}
