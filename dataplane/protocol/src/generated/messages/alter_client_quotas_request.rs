// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterClientQuotasRequest, API key 49.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AlterClientQuotasRequest, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterClientQuotasRequest {
    pub entries: Vec<EntryData>,
    pub validate_only: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterClientQuotasRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entries = r.array()?;
        let validate_only = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            entries,
            validate_only,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterClientQuotasRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.entries);
        w.bool(self.validate_only);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub ops: Vec<OpData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for EntryData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entity = r.array()?;
        let ops = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            entity,
            ops,
            unknown_tagged_fields,
        })
    }
}

impl Write for EntryData {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.entity);
        w.array(&self.ops);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0-1.
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

/// Part of [`AlterClientQuotasRequest`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OpData {
    pub key: String,
    pub value: f64,
    pub remove: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OpData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = r.string()?;
        let value = r.float64()?;
        let remove = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            key,
            value,
            remove,
            unknown_tagged_fields,
        })
    }
}

impl Write for OpData {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.key);
        w.float64(self.value);
        w.bool(self.remove);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AlterClientQuotasRequest {
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

impl Message for AlterClientQuotasRequest {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    const VERSION_MIN: i16 = AlterClientQuotasRequest::VERSION_MIN;
    const VERSION_MAX: i16 = AlterClientQuotasRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AlterClientQuotasRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AlterClientQuotasRequest::encode(self, out, version)
    }
}

impl Request for AlterClientQuotasRequest {
    type Response = super::AlterClientQuotasResponse;
}
