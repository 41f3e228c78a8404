// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeConfigsResponse, API key 32.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeConfigsResponse, versions 1-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeConfigsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    pub configs: Vec<DescribeConfigsResourceResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeConfigsResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let resource_type = r.int8()?;
        let resource_name = r.string()?;
        let configs = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            resource_type,
            resource_name,
            configs,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.int8(self.resource_type);
        w.string(&self.resource_name);
        w.array(&self.configs);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1-4.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Versions 3-4.
    pub config_type: i8,
    /// Versions 3-4.
    pub documentation: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeConfigsResourceResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = r.string()?;
        let value = r.option_string(true)?;
        let read_only = r.bool()?;
        let config_source = r.int8()?;
        let is_sensitive = r.bool()?;
        let synonyms = r.array()?;
        let config_type = if version >= 3 { r.int8()? } else { 0 };
        let documentation = if version >= 3 {
            r.option_string(true)?
        } else {
            None
        };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            value,
            read_only,
            config_source,
            is_sensitive,
            synonyms,
            config_type,
            documentation,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsResourceResult {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.name);
        w.option_string(self.value.as_deref(), true, "Value");
        w.bool(self.read_only);
        w.int8(self.config_source);
        w.bool(self.is_sensitive);
        w.array(&self.synonyms);
        if version >= 3 {
            w.int8(self.config_type);
        }
        if version >= 3 {
            w.option_string(self.documentation.as_deref(), true, "Documentation");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsSynonym {
    pub name: String,
    pub value: Option<String>,
    pub source: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeConfigsSynonym {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let value = r.option_string(true)?;
        let source = r.int8()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            value,
            source,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeConfigsSynonym {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.option_string(self.value.as_deref(), true, "Value");
        w.int8(self.source);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeConfigsResponse {
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

impl Message for DescribeConfigsResponse {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    const VERSION_MIN: i16 = DescribeConfigsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeConfigsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeConfigsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeConfigsResponse::encode(self, out, version)
    }
}
