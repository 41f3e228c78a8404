// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ElectLeadersResponse, API key 43.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ElectLeadersResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ElectLeadersResponse {
    pub throttle_time_ms: i32,
    /// Versions 1-2.
    pub error_code: i16,
    pub replica_election_results: Vec<ReplicaElectionResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ElectLeadersResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = if version >= 1 { r.int16()? } else { 0 };
        let replica_election_results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            replica_election_results,
            unknown_tagged_fields,
        })
    }
}

impl Write for ElectLeadersResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        if version >= 1 {
            w.int16(self.error_code);
        } else if self.error_code != 0 {
            w.not_in_version("ErrorCode");
        }
        w.array(&self.replica_election_results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ElectLeadersResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReplicaElectionResult {
    pub topic: String,
    pub partition_result: Vec<PartitionResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ReplicaElectionResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic = r.string()?;
        let partition_result = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic,
            partition_result,
            unknown_tagged_fields,
        })
    }
}

impl Write for ReplicaElectionResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.topic);
        w.array(&self.partition_result);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ElectLeadersResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionResult {
    pub partition_id: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for PartitionResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_id = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_id,
            error_code,
            error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for PartitionResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_id);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ElectLeadersResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 2;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 2);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 2);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ElectLeadersResponse {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    const VERSION_MIN: i16 = ElectLeadersResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ElectLeadersResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ElectLeadersResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ElectLeadersResponse::encode(self, out, version)
    }
}
