// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AddPartitionsToTxnRequest, API key 24.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AddPartitionsToTxnRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnRequest {
    /// Versions 4-5.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Versions 0-3.
    pub v3_and_below_transactional_id: String,
    /// Versions 0-3.
    pub v3_and_below_producer_id: i64,
    /// Versions 0-3.
    pub v3_and_below_producer_epoch: i16,
    /// Versions 0-3.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let transactions = if version >= 4 { r.array()? } else { Vec::new() };
        let v3_and_below_transactional_id = if version <= 3 {
            r.string()?
        } else {
            String::new()
        };
        let v3_and_below_producer_id = if version <= 3 { r.int64()? } else { 0 };
        let v3_and_below_producer_epoch = if version <= 3 { r.int16()? } else { 0 };
        let v3_and_below_topics = if version <= 3 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactions,
            v3_and_below_transactional_id,
            v3_and_below_producer_id,
            v3_and_below_producer_epoch,
            v3_and_below_topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 4 {
            w.array(&self.transactions);
        } else if !self.transactions.is_empty() {
            w.not_in_version("Transactions");
        }
        if version <= 3 {
            w.string(&self.v3_and_below_transactional_id);
        } else if !self.v3_and_below_transactional_id.is_empty() {
            w.not_in_version("V3AndBelowTransactionalId");
        }
        if version <= 3 {
            w.int64(self.v3_and_below_producer_id);
        } else if self.v3_and_below_producer_id != 0 {
            w.not_in_version("V3AndBelowProducerId");
        }
        if version <= 3 {
            w.int16(self.v3_and_below_producer_epoch);
        } else if self.v3_and_below_producer_epoch != 0 {
            w.not_in_version("V3AndBelowProducerEpoch");
        }
        if version <= 3 {
            w.array(&self.v3_and_below_topics);
        } else if !self.v3_and_below_topics.is_empty() {
            w.not_in_version("V3AndBelowTopics");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AddPartitionsToTxnRequest`], versions 4-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: String,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnTransaction {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transactional_id = r.string()?;
        let producer_id = r.int64()?;
        let producer_epoch = r.int16()?;
        let verify_only = r.bool()?;
        let topics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            producer_epoch,
            verify_only,
            topics,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnTransaction {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.transactional_id);
        w.int64(self.producer_id);
        w.int16(self.producer_epoch);
        w.bool(self.verify_only);
        w.array(&self.topics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AddPartitionsToTxnRequest`], versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddPartitionsToTxnTopic {
    pub name: String,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AddPartitionsToTxnTopic {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for AddPartitionsToTxnTopic {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AddPartitionsToTxnRequest {
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

impl Message for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    const VERSION_MIN: i16 = AddPartitionsToTxnRequest::VERSION_MIN;
    const VERSION_MAX: i16 = AddPartitionsToTxnRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AddPartitionsToTxnRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AddPartitionsToTxnRequest::encode(self, out, version)
    }
}

impl Request for AddPartitionsToTxnRequest {
    type Response = super::AddPartitionsToTxnResponse;
}
