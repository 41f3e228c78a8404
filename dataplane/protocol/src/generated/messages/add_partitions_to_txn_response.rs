// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddPartitionsToTxnResponse, API key 24.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AddPartitionsToTxnResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    /// Versions 4-5.
    pub error_code: i16,
    /// Versions 4-5.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Versions 0-3.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = if version >= 4 { r.int16()? } else { 0 };
        let results_by_transaction = if version >= 4 { r.array()? } else { Vec::new() };
        let results_by_topic_v3_and_below = if version <= 3 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            results_by_transaction,
            results_by_topic_v3_and_below,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        if version >= 4 {
            w.int16(self.error_code);
        }
        if version >= 4 {
            w.array(&self.results_by_transaction);
        } else if !self.results_by_transaction.is_empty() {
            w.not_in_version("ResultsByTransaction");
        }
        if version <= 3 {
            w.array(&self.results_by_topic_v3_and_below);
        } else if !self.results_by_topic_v3_and_below.is_empty() {
            w.not_in_version("ResultsByTopicV3AndBelow");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 4-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: String,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_id = r.string()?;
        let topic_results = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            topic_results,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.transactional_id);
        w.array(&self.topic_results);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: String,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnTopicResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let results_by_partition = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            results_by_partition,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnTopicResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.results_by_partition);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnPartitionResult {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let partition_index = r.int32()?;
        let partition_error_code = r.int16()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            partition_index,
            partition_error_code,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnPartitionResult {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.partition_index);
        w.int16(self.partition_error_code);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AddPartitionsToTxnResponse {
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

impl Message for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    const VERSION_MIN: i16 = AddPartitionsToTxnResponse::VERSION_MIN;
    const VERSION_MAX: i16 = AddPartitionsToTxnResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AddPartitionsToTxnResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AddPartitionsToTxnResponse::encode(self, out, version)
    }
}
