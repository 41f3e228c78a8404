// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClientQuotasRequest, API key 48.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeClientQuotasRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeClientQuotasRequest {
    pub components: Vec<ComponentData>,
    pub strict: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeClientQuotasRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let components = r.array()?;
        let strict = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            components,
            strict,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeClientQuotasRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.components);
        w.bool(self.strict);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeClientQuotasRequest`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ComponentData {
    pub entity_type: String,
    pub match_type: i8,
    pub r#match: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ComponentData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entity_type = r.string()?;
        let match_type = r.int8()?;
        let r#match = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            entity_type,
            match_type,
            r#match,
            unknown_tagged_fields,
        })
    }
}

impl Write for ComponentData {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.entity_type);
        w.int8(self.match_type);
        w.option_string(self.r#match.as_deref(), true, "Match");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeClientQuotasRequest {
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

impl Message for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    const VERSION_MIN: i16 = DescribeClientQuotasRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeClientQuotasRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeClientQuotasRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeClientQuotasRequest::encode(self, out, version)
    }
}

impl Request for DescribeClientQuotasRequest {
    type Response = super::DescribeClientQuotasResponse;
}
