// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateTopicsResponse, API key 19.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// CreateTopicsResponse, versions 2-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for CreateTopicsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreateTopicsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`CreateTopicsResponse`], versions 2-7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    pub name: String,
    /// Versions 7.
    pub topic_id: TopicId,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Versions 5-7. Tag 0.
    pub topic_config_error_code: i16,
    /// Versions 5-7.
    pub num_partitions: i32,
    /// Versions 5-7.
    pub replication_factor: i16,
    /// Versions 5-7.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: TopicId::ZERO,
            error_code: 0,
            error_message: None,
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for CreatableTopicResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = r.string()?;
        let topic_id = if version >= 7 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let mut topic_config_error_code = 0;
        let num_partitions = if version >= 5 { r.int32()? } else { -1 };
        let replication_factor = if version >= 5 { r.int16()? } else { -1 };
        let configs = if version >= 5 {
            r.option_array(true)?
        } else {
            None
        };
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 5 => {
                        topic_config_error_code = field.int16()?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            name,
            topic_id,
            error_code,
            error_message,
            topic_config_error_code,
            num_partitions,
            replication_factor,
            configs,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatableTopicResult {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.name);
        if version >= 7 {
            w.topic_id(self.topic_id);
        }
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        if version >= 5 {
            w.int32(self.num_partitions);
        }
        if version >= 5 {
            w.int16(self.replication_factor);
        }
        if version >= 5 {
            w.option_array(self.configs.as_deref(), true, "Configs");
        }
        let has_topic_config_error_code = version >= 5 && self.topic_config_error_code != 0;
        if w.flexible() {
            let mut tags = w.tags(
                u32::from(has_topic_config_error_code),
                &self.unknown_tagged_fields,
            );
            if has_topic_config_error_code {
                w.tagged(&mut tags, 0, |w| {
                    w.int16(self.topic_config_error_code);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`CreateTopicsResponse`], versions 5-7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for CreatableTopicConfigs {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let value = r.option_string(true)?;
        let read_only = r.bool()?;
        let config_source = r.int8()?;
        let is_sensitive = r.bool()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            value,
            read_only,
            config_source,
            is_sensitive,
            unknown_tagged_fields,
        })
    }
}

impl Write for CreatableTopicConfigs {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.option_string(self.value.as_deref(), true, "Value");
        w.bool(self.read_only);
        w.int8(self.config_source);
        w.bool(self.is_sensitive);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl CreateTopicsResponse {
    pub const VERSION_MIN: i16 = 2;
    pub const VERSION_MAX: i16 = 7;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 5);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 5);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;
    const VERSION_MIN: i16 = CreateTopicsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = CreateTopicsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        CreateTopicsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        CreateTopicsResponse::encode(self, out, version)
    }
}
