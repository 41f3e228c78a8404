// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FetchRequest, API key 1.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// FetchRequest, versions 4-18.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// Versions 12-18. Tag 0.
    pub cluster_id: Option<String>,
    /// Versions 4-14.
    pub replica_id: i32,
    /// Versions 15-18. Tag 1.
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    /// Versions 7-18.
    pub session_id: i32,
    /// Versions 7-18.
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    /// Versions 7-18.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Versions 11-18.
    pub rack_id: String,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: String::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for FetchRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let mut cluster_id = None;
        let replica_id = if version <= 14 { r.int32()? } else { -1 };
        let mut replica_state = ReplicaState::default();
        let max_wait_ms = r.int32()?;
        let min_bytes = r.int32()?;
        let max_bytes = r.int32()?;
        let isolation_level = r.int8()?;
        let session_id = if version >= 7 { r.int32()? } else { 0 };
        let session_epoch = if version >= 7 { r.int32()? } else { -1 };
        let topics = r.array()?;
        let forgotten_topics_data = if version >= 7 { r.array()? } else { Vec::new() };
        let rack_id = if version >= 11 {
            r.string()?
        } else {
            String::new()
        };
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 12 => {
                        cluster_id = field.option_string(true)?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 15 => {
                        replica_state = ReplicaState::read(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            cluster_id,
            replica_id,
            replica_state,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            forgotten_topics_data,
            rack_id,
            unknown_tagged_fields,
        })
    }
}

impl Write for FetchRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 14 {
            w.int32(self.replica_id);
        } else if self.replica_id != -1 {
            w.not_in_version("ReplicaId");
        }
        w.int32(self.max_wait_ms);
        w.int32(self.min_bytes);
        w.int32(self.max_bytes);
        w.int8(self.isolation_level);
        if version >= 7 {
            w.int32(self.session_id);
        }
        if version >= 7 {
            w.int32(self.session_epoch);
        }
        w.array(&self.topics);
        if version >= 7 {
            w.array(&self.forgotten_topics_data);
        } else if !self.forgotten_topics_data.is_empty() {
            w.not_in_version("ForgottenTopicsData");
        }
        if version >= 11 {
            w.string(&self.rack_id);
        }
        let has_cluster_id = version >= 12 && self.cluster_id.is_some();
        if version < 15 && self.replica_state != ReplicaState::default() {
            w.not_in_version("ReplicaState");
        }
        let has_replica_state = version >= 15 && self.replica_state != ReplicaState::default();
        if w.flexible() {
            let mut tags = w.tags(
                u32::from(has_cluster_id) + u32::from(has_replica_state),
                &self.unknown_tagged_fields,
            );
            if has_cluster_id {
                w.tagged(&mut tags, 0, |w| {
                    w.option_string(self.cluster_id.as_deref(), true, "ClusterId");
                });
            }
            if has_replica_state {
                w.tagged(&mut tags, 1, |w| {
                    self.replica_state.write(w);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`FetchRequest`], versions 15-18.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ReplicaState {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let replica_id = r.int32()?;
        let replica_epoch = r.int64()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            replica_id,
            replica_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for ReplicaState {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.replica_id);
        w.int64(self.replica_epoch);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchRequest`], versions 4-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchTopic {
    /// Versions 4-12.
    pub topic: String,
    /// Versions 13-18.
    pub topic_id: TopicId,
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FetchTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic = if version <= 12 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic,
            topic_id,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for FetchTopic {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 12 {
            w.string(&self.topic);
        }
        if version >= 13 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchRequest`], versions 4-18.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    pub partition: i32,
    /// Versions 9-18.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// Versions 12-18.
    pub last_fetched_epoch: i32,
    /// Versions 5-18.
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    /// Versions 17-18. Tag 0.
    pub replica_directory_id: [u8; 16],
    /// Versions 18. Tag 1.
    pub high_watermark: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: [0; 16],
            high_watermark: i64::MAX,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for FetchPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition = r.int32()?;
        let current_leader_epoch = if version >= 9 { r.int32()? } else { -1 };
        let fetch_offset = r.int64()?;
        let last_fetched_epoch = if version >= 12 { r.int32()? } else { -1 };
        let log_start_offset = if version >= 5 { r.int64()? } else { -1 };
        let partition_max_bytes = r.int32()?;
        let mut replica_directory_id = [0; 16];
        let mut high_watermark = i64::MAX;
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 17 => {
                        replica_directory_id = field.uuid()?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 18 => {
                        high_watermark = field.int64()?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            partition,
            current_leader_epoch,
            fetch_offset,
            last_fetched_epoch,
            log_start_offset,
            partition_max_bytes,
            replica_directory_id,
            high_watermark,
            unknown_tagged_fields,
        })
    }
}

impl Write for FetchPartition {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition);
        if version >= 9 {
            w.int32(self.current_leader_epoch);
        }
        w.int64(self.fetch_offset);
        if version >= 12 {
            w.int32(self.last_fetched_epoch);
        } else if self.last_fetched_epoch != -1 {
            w.not_in_version("LastFetchedEpoch");
        }
        if version >= 5 {
            w.int64(self.log_start_offset);
        }
        w.int32(self.partition_max_bytes);
        let has_replica_directory_id = version >= 17 && self.replica_directory_id != [0; 16];
        let has_high_watermark = version >= 18 && self.high_watermark != i64::MAX;
        if w.flexible() {
            let mut tags = w.tags(
                u32::from(has_replica_directory_id) + u32::from(has_high_watermark),
                &self.unknown_tagged_fields,
            );
            if has_replica_directory_id {
                w.tagged(&mut tags, 0, |w| {
                    w.uuid(&self.replica_directory_id);
                });
            }
            if has_high_watermark {
                w.tagged(&mut tags, 1, |w| {
                    w.int64(self.high_watermark);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`FetchRequest`], versions 7-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ForgottenTopic {
    /// Versions 7-12.
    pub topic: String,
    /// Versions 13-18.
    pub topic_id: TopicId,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ForgottenTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic = if version <= 12 {
            r.string()?
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic,
            topic_id,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for ForgottenTopic {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 12 {
            w.string(&self.topic);
        }
        if version >= 13 {
            w.topic_id(self.topic_id);
        }
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl FetchRequest {
    pub const VERSION_MIN: i16 = 4;
    pub const VERSION_MAX: i16 = 18;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 12);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 12);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    const VERSION_MIN: i16 = FetchRequest::VERSION_MIN;
    const VERSION_MAX: i16 = FetchRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        FetchRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        FetchRequest::encode(self, out, version)
    }
}

impl Request for FetchRequest {
    type Response = super::FetchResponse;
}
