// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! MetadataRequest, API key 3.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// MetadataRequest, versions 0-13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// May be null in versions 1-13.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Versions 4-13.
    pub allow_auto_topic_creation: bool,
    /// Versions 8-10.
    pub include_cluster_authorized_operations: bool,
    /// Versions 8-13.
    pub include_topic_authorized_operations: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: None,
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for MetadataRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topics = r.option_array(version >= 1)?;
        let allow_auto_topic_creation = if version >= 4 { r.bool()? } else { true };
        let include_cluster_authorized_operations = if (8..=10).contains(&version) {
            r.bool()?
        } else {
            false
        };
        let include_topic_authorized_operations = if version >= 8 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topics,
            allow_auto_topic_creation,
            include_cluster_authorized_operations,
            include_topic_authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for MetadataRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.option_array(self.topics.as_deref(), version >= 1, "Topics");
        if version >= 4 {
            w.bool(self.allow_auto_topic_creation);
        } else if !self.allow_auto_topic_creation {
            w.not_in_version("AllowAutoTopicCreation");
        }
        if (8..=10).contains(&version) {
            w.bool(self.include_cluster_authorized_operations);
        } else if self.include_cluster_authorized_operations {
            w.not_in_version("IncludeClusterAuthorizedOperations");
        }
        if version >= 8 {
            w.bool(self.include_topic_authorized_operations);
        } else if self.include_topic_authorized_operations {
            w.not_in_version("IncludeTopicAuthorizedOperations");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`MetadataRequest`], versions 0-13.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MetadataRequestTopic {
    /// Versions 10-13.
    pub topic_id: TopicId,
    /// May be null in versions 10-13.
    pub name: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for MetadataRequestTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic_id = if version >= 10 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let name = r.option_string(version >= 10)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_id,
            name,
            unknown_tagged_fields,
        })
    }
}

impl Write for MetadataRequestTopic {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 10 {
            w.topic_id(self.topic_id);
        }
        w.option_string(self.name.as_deref(), version >= 10, "Name");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl MetadataRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 13;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 9);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 9);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    const VERSION_MIN: i16 = MetadataRequest::VERSION_MIN;
    const VERSION_MAX: i16 = MetadataRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        MetadataRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        MetadataRequest::encode(self, out, version)
    }
}

impl Request for MetadataRequest {
    type Response = super::MetadataResponse;
}
