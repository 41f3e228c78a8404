// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClientQuotasResponse, API key 48.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeClientQuotasResponse, versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub entries: Option<Vec<EntryData>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeClientQuotasResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let entries = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            entries,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeClientQuotasResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.option_array(self.entries.as_deref(), true, "Entries");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub values: Vec<ValueData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for EntryData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entity = r.array()?;
        let values = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            entity,
            values,
            unknown_tagged_fields,
        })
    }
}

impl Write for EntryData {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.entity);
        w.array(&self.values);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0-1.
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

/// Part of [`DescribeClientQuotasResponse`], versions 0-1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ValueData {
    pub key: String,
    pub value: f64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ValueData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = r.string()?;
        let value = r.float64()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            key,
            value,
            unknown_tagged_fields,
        })
    }
}

impl Write for ValueData {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.key);
        w.float64(self.value);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeClientQuotasResponse {
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

impl Message for DescribeClientQuotasResponse {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    const VERSION_MIN: i16 = DescribeClientQuotasResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeClientQuotasResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeClientQuotasResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeClientQuotasResponse::encode(self, out, version)
    }
}
