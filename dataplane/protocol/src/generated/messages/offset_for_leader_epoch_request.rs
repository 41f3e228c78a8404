// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! OffsetForLeaderEpochRequest, API key 23.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// OffsetForLeaderEpochRequest, versions 2-4.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochRequest {
    /// Versions 3-4.
    pub replica_id: i32,
    pub topics: Vec<OffsetForLeaderTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        Self {
            replica_id: -2,
            topics: Vec::new(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetForLeaderEpochRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let replica_id = if version >= 3 { r.int32()? } else { -2 };
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            replica_id,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetForLeaderEpochRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 3 {
            w.int32(self.replica_id);
        }
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetForLeaderEpochRequest`], versions 2-4.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetForLeaderTopic {
    pub topic: String,
    pub partitions: Vec<OffsetForLeaderPartition>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for OffsetForLeaderTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic = r.string()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetForLeaderTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.topic);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`OffsetForLeaderEpochRequest`], versions 2-4.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            leader_epoch: 0,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for OffsetForLeaderPartition {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition = r.int32()?;
        let current_leader_epoch = r.int32()?;
        let leader_epoch = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition,
            current_leader_epoch,
            leader_epoch,
            unknown_tagged_fields,
        })
    }
}

impl Write for OffsetForLeaderPartition {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition);
        w.int32(self.current_leader_epoch);
        w.int32(self.leader_epoch);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl OffsetForLeaderEpochRequest {
    pub const VERSION_MIN: i16 = 2;
    pub const VERSION_MAX: i16 = 4;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 4);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 4);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
    const VERSION_MIN: i16 = OffsetForLeaderEpochRequest::VERSION_MIN;
    const VERSION_MAX: i16 = OffsetForLeaderEpochRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        OffsetForLeaderEpochRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        OffsetForLeaderEpochRequest::encode(self, out, version)
    }
}

impl Request for OffsetForLeaderEpochRequest {
    type Response = super::OffsetForLeaderEpochResponse;
}
