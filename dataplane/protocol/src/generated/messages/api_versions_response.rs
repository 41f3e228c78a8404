// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ApiVersionsResponse, API key 18.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ApiVersionsResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    /// Versions 1-5.
    pub throttle_time_ms: i32,
    /// Versions 3-5. Tag 0.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Versions 3-5. Tag 1.
    pub finalized_features_epoch: i64,
    /// Versions 3-5. Tag 2.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Versions 3-5. Tag 3.
    pub zk_migration_ready: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ApiVersionsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let error_code = r.int16()?;
        let api_keys = r.array()?;
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let mut supported_features = Vec::new();
        let mut finalized_features_epoch = -1;
        let mut finalized_features = Vec::new();
        let mut zk_migration_ready = false;
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 3 => {
                        supported_features = field.array()?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 3 => {
                        finalized_features_epoch = field.int64()?;
                        r.end_tag(&field)?;
                    }
                    2 if version >= 3 => {
                        finalized_features = field.array()?;
                        r.end_tag(&field)?;
                    }
                    3 if version >= 3 => {
                        zk_migration_ready = field.bool()?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            error_code,
            api_keys,
            throttle_time_ms,
            supported_features,
            finalized_features_epoch,
            finalized_features,
            zk_migration_ready,
            unknown_tagged_fields,
        })
    }
}

impl Write for ApiVersionsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int16(self.error_code);
        w.array(&self.api_keys);
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        let has_supported_features = version >= 3 && !self.supported_features.is_empty();
        let has_finalized_features_epoch = version >= 3 && self.finalized_features_epoch != -1;
        let has_finalized_features = version >= 3 && !self.finalized_features.is_empty();
        let has_zk_migration_ready = version >= 3 && self.zk_migration_ready;
        if w.flexible() {
            let mut tags = w.tags(
                u32::from(has_supported_features)
                    + u32::from(has_finalized_features_epoch)
                    + u32::from(has_finalized_features)
                    + u32::from(has_zk_migration_ready),
                &self.unknown_tagged_fields,
            );
            if has_supported_features {
                w.tagged(&mut tags, 0, |w| {
                    w.array(&self.supported_features);
                });
            }
            if has_finalized_features_epoch {
                w.tagged(&mut tags, 1, |w| {
                    w.int64(self.finalized_features_epoch);
                });
            }
            if has_finalized_features {
                w.tagged(&mut tags, 2, |w| {
                    w.array(&self.finalized_features);
                });
            }
            if has_zk_migration_ready {
                w.tagged(&mut tags, 3, |w| {
                    w.bool(self.zk_migration_ready);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`ApiVersionsResponse`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ApiVersion {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let api_key = r.int16()?;
        let min_version = r.int16()?;
        let max_version = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            api_key,
            min_version,
            max_version,
            unknown_tagged_fields,
        })
    }
}

impl Write for ApiVersion {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.api_key);
        w.int16(self.min_version);
        w.int16(self.max_version);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ApiVersionsResponse`], versions 3-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SupportedFeatureKey {
    pub name: String,
    pub min_version: i16,
    pub max_version: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SupportedFeatureKey {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let min_version = r.int16()?;
        let max_version = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            min_version,
            max_version,
            unknown_tagged_fields,
        })
    }
}

impl Write for SupportedFeatureKey {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int16(self.min_version);
        w.int16(self.max_version);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ApiVersionsResponse`], versions 3-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FinalizedFeatureKey {
    pub name: String,
    pub max_version_level: i16,
    pub min_version_level: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FinalizedFeatureKey {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let max_version_level = r.int16()?;
        let min_version_level = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            max_version_level,
            min_version_level,
            unknown_tagged_fields,
        })
    }
}

impl Write for FinalizedFeatureKey {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int16(self.max_version_level);
        w.int16(self.min_version_level);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ApiVersionsResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 5;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 3);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 3);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;
    const VERSION_MIN: i16 = ApiVersionsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ApiVersionsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ApiVersionsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ApiVersionsResponse::encode(self, out, version)
    }
}
