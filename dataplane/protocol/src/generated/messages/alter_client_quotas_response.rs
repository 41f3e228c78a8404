// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterClientQuotasResponse, API key 49.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AlterClientQuotasResponse, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub entries: Vec<EntryData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterClientQuotasResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let entries = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            entries,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterClientQuotasResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.entries);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterClientQuotasResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryData {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub entity: Vec<EntityData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for EntryData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let entity = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            entity,
            unknown_tagged_fields,
        })
    }
}

impl Write for EntryData {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.array(&self.entity);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterClientQuotasResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntityData {
    pub entity_type: String,
    pub entity_name: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for EntityData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entity_type = r.string()?;
        let entity_name = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            entity_type,
            entity_name,
            unknown_tagged_fields,
        })
    }
}

impl Write for EntityData {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.entity_type);
        w.option_string(self.entity_name.as_deref(), true, "EntityName");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AlterClientQuotasResponse {
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

impl Message for AlterClientQuotasResponse {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    const VERSION_MIN: i16 = AlterClientQuotasResponse::VERSION_MIN;
    const VERSION_MAX: i16 = AlterClientQuotasResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AlterClientQuotasResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AlterClientQuotasResponse::encode(self, out, version)
    }
}
