// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FetchResponse, API key 1.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// FetchResponse, versions 4-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    /// Versions 7-18.
    pub error_code: i16,
    /// Versions 7-18.
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    /// Versions 16-18. Tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FetchResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = if version >= 7 { r.int16()? } else { 0 };
        let session_id = if version >= 7 { r.int32()? } else { 0 };
        let responses = r.array()?;
        let mut node_endpoints = Vec::new();
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 16 => {
                        node_endpoints = field.array()?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            throttle_time_ms,
            error_code,
            session_id,
            responses,
            node_endpoints,
            unknown_tagged_fields,
        })
    }
}

impl Write for FetchResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        if version >= 7 {
            w.int16(self.error_code);
        }
        if version >= 7 {
            w.int32(self.session_id);
        } else if self.session_id != 0 {
            w.not_in_version("SessionId");
        }
        w.array(&self.responses);
        if version < 16 && !self.node_endpoints.is_empty() {
            w.not_in_version("NodeEndpoints");
        }
        let has_node_endpoints = version >= 16 && !self.node_endpoints.is_empty();
        if w.flexible() {
            let mut tags = w.tags(u32::from(has_node_endpoints), &self.unknown_tagged_fields);
            if has_node_endpoints {
                w.tagged(&mut tags, 0, |w| {
                    w.array(&self.node_endpoints);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`FetchResponse`], versions 4-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FetchableTopicResponse {
    /// Versions 4-12.
    pub topic: String,
    /// Versions 13-18.
    pub topic_id: TopicId,
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FetchableTopicResponse {
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

impl Write for FetchableTopicResponse {
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

/// Part of [`FetchResponse`], versions 4-18.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    /// Versions 5-18.
    pub log_start_offset: i64,
    /// Versions 12-18. Tag 0.
    pub diverging_epoch: EpochEndOffset,
    /// Versions 12-18. Tag 1.
    pub current_leader: LeaderIdAndEpoch,
    /// Versions 12-18. Tag 2.
    pub snapshot_id: SnapshotId,
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Versions 11-18.
    pub preferred_read_replica: i32,
    pub records: Option<Vec<u8>>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: None,
            preferred_read_replica: -1,
            records: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for PartitionData {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition_index = r.int32()?;
        let error_code = r.int16()?;
        let high_watermark = r.int64()?;
        let last_stable_offset = r.int64()?;
        let log_start_offset = if version >= 5 { r.int64()? } else { -1 };
        let mut diverging_epoch = EpochEndOffset::default();
        let mut current_leader = LeaderIdAndEpoch::default();
        let mut snapshot_id = SnapshotId::default();
        let aborted_transactions = r.option_array(true)?;
        let preferred_read_replica = if version >= 11 { r.int32()? } else { -1 };
        let records = r.option_bytes(true)?;
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 12 => {
                        diverging_epoch = EpochEndOffset::read(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 12 => {
                        current_leader = LeaderIdAndEpoch::read(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    2 if version >= 12 => {
                        snapshot_id = SnapshotId::read(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            partition_index,
            error_code,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            diverging_epoch,
            current_leader,
            snapshot_id,
            aborted_transactions,
            preferred_read_replica,
            records,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionData {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.partition_index);
        w.int16(self.error_code);
        w.int64(self.high_watermark);
        w.int64(self.last_stable_offset);
        if version >= 5 {
            w.int64(self.log_start_offset);
        }
        w.option_array(
            self.aborted_transactions.as_deref(),
            true,
            "AbortedTransactions",
        );
        if version >= 11 {
            w.int32(self.preferred_read_replica);
        } else if self.preferred_read_replica != -1 {
            w.not_in_version("PreferredReadReplica");
        }
        w.option_bytes(self.records.as_deref(), true, "Records");
        if version < 12 && self.diverging_epoch != EpochEndOffset::default() {
            w.not_in_version("DivergingEpoch");
        }
        let has_diverging_epoch =
            version >= 12 && self.diverging_epoch != EpochEndOffset::default();
        if version < 12 && self.current_leader != LeaderIdAndEpoch::default() {
            w.not_in_version("CurrentLeader");
        }
        let has_current_leader =
            version >= 12 && self.current_leader != LeaderIdAndEpoch::default();
        if version < 12 && self.snapshot_id != SnapshotId::default() {
            w.not_in_version("SnapshotId");
        }
        let has_snapshot_id = version >= 12 && self.snapshot_id != SnapshotId::default();
        if w.flexible() {
            let mut tags = w.tags(
                u32::from(has_diverging_epoch)
                    + u32::from(has_current_leader)
                    + u32::from(has_snapshot_id),
                &self.unknown_tagged_fields,
            );
            if has_diverging_epoch {
                w.tagged(&mut tags, 0, |w| {
                    self.diverging_epoch.write(w);
                });
            }
            if has_current_leader {
                w.tagged(&mut tags, 1, |w| {
                    self.current_leader.write(w);
                });
            }
            if has_snapshot_id {
                w.tagged(&mut tags, 2, |w| {
                    self.snapshot_id.write(w);
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`FetchResponse`], versions 12-18.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for EpochEndOffset {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let epoch = r.int32()?;
        let end_offset = r.int64()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            epoch,
            end_offset,
            unknown_tagged_fields,
        })
    }
}

impl Write for EpochEndOffset {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.epoch);
        w.int64(self.end_offset);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchResponse`], versions 12-18.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for LeaderIdAndEpoch {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let leader_id = r.int32()?;
        let leader_epoch = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            leader_id,
            leader_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for LeaderIdAndEpoch {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.leader_id);
        w.int32(self.leader_epoch);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchResponse`], versions 12-18.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for SnapshotId {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let end_offset = r.int64()?;
        let epoch = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            end_offset,
            epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for SnapshotId {
    fn write(&self, w: &mut Writer<'_>) {
        w.int64(self.end_offset);
        w.int32(self.epoch);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchResponse`], versions 4-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AbortedTransaction {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let producer_id = r.int64()?;
        let first_offset = r.int64()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            producer_id,
            first_offset,
            unknown_tagged_fields,
        })
    }
}

impl Write for AbortedTransaction {
    fn write(&self, w: &mut Writer<'_>) {
        w.int64(self.producer_id);
        w.int64(self.first_offset);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FetchResponse`], versions 16-18.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for NodeEndpoint {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let node_id = r.int32()?;
        let host = r.string()?;
        let port = r.int32()?;
        let rack = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            node_id,
            host,
            port,
            rack,
            unknown_tagged_fields,
        })
    }
}

impl Write for NodeEndpoint {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.node_id);
        w.string(&self.host);
        w.int32(self.port);
        w.option_string(self.rack.as_deref(), true, "Rack");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl FetchResponse {
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

impl Message for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;
    const VERSION_MIN: i16 = FetchResponse::VERSION_MIN;
    const VERSION_MAX: i16 = FetchResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        FetchResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        FetchResponse::encode(self, out, version)
    }
}
