// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetFetchRequest, API key 9.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// OffsetFetchRequest, versions 1-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequest {
    /// Versions 1-7.
    pub group_id: String,
    /// Versions 1-7. May be null in versions 2-7.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Versions 8-10.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Versions 7-10.
    pub require_stable: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = if version <= 7 {
            r.string()?
        } else {
            String::new()
        };
        let topics = if version <= 7 {
            r.option_array(version >= 2)?
        } else {
            None
        };
        let groups = if version >= 8 { r.array()? } else { Vec::new() };
        let require_stable = if version >= 7 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            topics,
            groups,
            require_stable,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 7 {
            w.string(&self.group_id);
        } else if !self.group_id.is_empty() {
            w.not_in_version("GroupId");
        }
        if version <= 7 {
            w.option_array(self.topics.as_deref(), version >= 2, "Topics");
        } else if self.topics.is_some() {
            w.not_in_version("Topics");
        }
        if version >= 8 {
            w.array(&self.groups);
        } else if !self.groups.is_empty() {
            w.not_in_version("Groups");
        }
        if version >= 7 {
            w.bool(self.require_stable);
        } else if self.require_stable {
            w.not_in_version("RequireStable");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchRequest`], versions 1-7.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopic {
    pub name: String,
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchRequestTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partition_indexes = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            partition_indexes,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchRequestTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partition_indexes);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchRequest`], versions 8-10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    pub group_id: String,
    /// Versions 9-10.
    pub member_id: Option<String>,
    /// Versions 9-10.
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: None,
            member_epoch: -1,
            topics: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetFetchRequestGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let group_id = r.string()?;
        let member_id = if version >= 9 {
            r.option_string(true)?
        } else {
            None
        };
        let member_epoch = if version >= 9 { r.int32()? } else { -1 };
        let topics = r.option_array(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            group_id,
            member_id,
            member_epoch,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchRequestGroup {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.string(&self.group_id);
        if version >= 9 {
            w.option_string(self.member_id.as_deref(), true, "MemberId");
        }
        if version >= 9 {
            w.int32(self.member_epoch);
        }
        w.option_array(self.topics.as_deref(), true, "Topics");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetFetchRequest`], versions 8-10.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopics {
    /// Versions 8-9.
    pub name: String,
    /// Versions 10.
    pub topic_id: TopicId,
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetFetchRequestTopics {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = if version <= 9 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 10 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partition_indexes = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            topic_id,
            partition_indexes,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetFetchRequestTopics {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 9 {
            w.string(&self.name);
        }
        if version >= 10 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partition_indexes);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl OffsetFetchRequest {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 10;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 6);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 6);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    const VERSION_MIN: i16 = OffsetFetchRequest::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetFetchRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetFetchRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetFetchRequest::encode(self, out, version)
    }
}

impl Request for OffsetFetchRequest {
    type Response = super::OffsetFetchResponse;
}
