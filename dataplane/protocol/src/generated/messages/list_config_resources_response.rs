// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListConfigResourcesResponse, API key 74.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ListConfigResourcesResponse, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListConfigResourcesResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub config_resources: Vec<ConfigResource>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ListConfigResourcesResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let config_resources = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            config_resources,
            unknown_tagged_fields,
        })
    }
}

impl Write for ListConfigResourcesResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.array(&self.config_resources);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ListConfigResourcesResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigResource {
    pub resource_name: String,
    /// Versions 1.
    pub resource_type: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ConfigResource {
    fn default() -> Self {
        Self {
            resource_name: String::new(),
            resource_type: 16,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ConfigResource {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let resource_name = r.string()?;
        let resource_type = if version >= 1 { r.int8()? } else { 16 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            resource_name,
            resource_type,
            unknown_tagged_fields,
        })
    }
}

impl Write for ConfigResource {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.resource_name);
        if version >= 1 {
            w.int8(self.resource_type);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ListConfigResourcesResponse {
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

impl Message for ListConfigResourcesResponse {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    const VERSION_MIN: i16 = ListConfigResourcesResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ListConfigResourcesResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ListConfigResourcesResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ListConfigResourcesResponse::encode(self, out, version)
    }
}
