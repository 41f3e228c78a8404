//! What a produce request's records must be, and which of Kafka's errors each defect gets.

use super::batch::{BatchError, BatchView, Codec, split_batches};
use super::record::RecordError;
use super::walk::check_records;
use super::{CRC_COVERS_FROM, HEADER_LENGTH};
use precursor_memory::{crc32c, crc32c_append};
use precursor_model::{ErrorCode, TimestampType};
use std::fmt;

/// Bounds that the topic and the request's version set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max.message.bytes`: the largest batch with its header.
    pub batch_bytes_max: usize,
    /// Version of the Produce request: zstd is allowed from 7 on (KIP-110).
    pub produce_version: i16,
}

/// Why a produced batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidBatch {
    /// No records at all, or not one whole batch.
    NoBatch,
    Batch(BatchError),
    /// A produce request carries exactly one batch per partition.
    MoreThanOneBatch,
    /// Larger than `max.message.bytes`.
    TooLarge {
        bytes: usize,
    },
    /// The CRC does not fit the bytes.
    Crc,
    /// Kafka's clients send base offset 0; the broker assigns.
    BaseOffset {
        offset: i64,
    },
    /// Last offset delta and record count do not fit each other, or there are no records.
    OffsetRange,
    /// Only brokers write control batches.
    Control,
    /// A codec that does not exist, or zstd in a version before it.
    Codec,
    /// Only brokers assign LogAppendTime.
    TimestampType,
    /// The batch's producer id, epoch and sequence contradict each other.
    Producer,
    /// A record cannot be read.
    Record(RecordError),
    /// Offset deltas are not 0, 1, 2 …
    OffsetDelta {
        index: i32,
    },
}

impl InvalidBatch {
    /// The error that Kafka answers (`ProduceRequest.validateRecords`,
    /// `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`).
    pub const fn code(self) -> ErrorCode {
        match self {
            InvalidBatch::Batch(error) => error.code(),
            InvalidBatch::TooLarge { .. } => ErrorCode::MessageTooLarge,
            InvalidBatch::Crc => ErrorCode::CorruptMessage,
            InvalidBatch::Codec => ErrorCode::UnsupportedCompressionType,
            InvalidBatch::TimestampType => ErrorCode::InvalidTimestamp,
            InvalidBatch::NoBatch
            | InvalidBatch::MoreThanOneBatch
            | InvalidBatch::BaseOffset { .. }
            | InvalidBatch::OffsetRange
            | InvalidBatch::Control
            | InvalidBatch::Producer
            | InvalidBatch::Record(_)
            | InvalidBatch::OffsetDelta { .. } => ErrorCode::InvalidRecord,
        }
    }
}

impl fmt::Display for InvalidBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidBatch::NoBatch => f.write_str("the records hold no whole batch"),
            InvalidBatch::Batch(error) => error.fmt(f),
            InvalidBatch::MoreThanOneBatch => {
                f.write_str("a produce request must hold exactly one record batch per partition")
            }
            InvalidBatch::TooLarge { bytes } => {
                write!(
                    f,
                    "a record batch of {bytes} bytes is more than max.message.bytes"
                )
            }
            InvalidBatch::Crc => f.write_str("the record batch's CRC is wrong"),
            InvalidBatch::BaseOffset { offset } => {
                write!(
                    f,
                    "a produced batch's base offset should be 0, but it is {offset}"
                )
            }
            InvalidBatch::OffsetRange => {
                f.write_str("the record batch's offset range and record count disagree")
            }
            InvalidBatch::Control => f.write_str("clients may not write control records"),
            InvalidBatch::Codec => f.write_str("the compression type is not supported"),
            InvalidBatch::TimestampType => {
                f.write_str("a producer must not set the timestamp type to LogAppendTime")
            }
            InvalidBatch::Producer => {
                f.write_str("the record batch's producer id, epoch and sequence disagree")
            }
            InvalidBatch::Record(error) => error.fmt(f),
            InvalidBatch::OffsetDelta { index } => {
                write!(f, "record {index} of the batch has another offset delta")
            }
        }
    }
}

impl std::error::Error for InvalidBatch {}

impl From<BatchError> for InvalidBatch {
    fn from(error: BatchError) -> Self {
        InvalidBatch::Batch(error)
    }
}

/// A batch that may be appended.
#[derive(Clone, Copy, Debug)]
pub struct ValidBatch<'a> {
    pub batch: BatchView<'a>,
    /// Records in it, at least 1.
    pub records: u32,
    /// The largest timestamp in it: that of the records where they can be read, else the header's.
    pub max_timestamp: i64,
}

impl ValidBatch<'_> {
    /// The batch's header as it came.
    pub fn header(&self) -> &[u8; HEADER_LENGTH] {
        let header = self.batch.bytes().first_chunk();
        header.expect("a batch is at least a header long")
    }
}

/// Checks one partition's records of a produce request: exactly one batch, and that one valid.
pub fn validate_produce<'a>(
    records: Option<&'a [u8]>,
    limits: &Limits,
) -> Result<ValidBatch<'a>, InvalidBatch> {
    let mut batches = split_batches(records.unwrap_or_default());
    let batch = batches.next().ok_or(InvalidBatch::NoBatch)??;
    if !batches.rest().is_empty() {
        return Err(InvalidBatch::MoreThanOneBatch);
    }
    if batch.base_offset() != 0 {
        return Err(InvalidBatch::BaseOffset {
            offset: batch.base_offset(),
        });
    }
    validate_batch(batch, limits)
}

/// Checks one batch from a client: size, CRC, header, and where they are not compressed its
/// records. Reads the bytes once, from memory's point of view: checksum and walk go side by side.
fn validate_batch<'a>(
    batch: BatchView<'a>,
    limits: &Limits,
) -> Result<ValidBatch<'a>, InvalidBatch> {
    let bytes = batch.bytes().len();
    if bytes > limits.batch_bytes_max {
        return Err(InvalidBatch::TooLarge { bytes });
    }
    let header = validate_header(batch, limits);
    let crc = crc32c(&batch.bytes()[CRC_COVERS_FROM..HEADER_LENGTH]);
    let (walked, crc) = if header.is_ok() && batch.codec() == Codec::None {
        let (delta, crc) = check_records(batch.record_bytes(), batch.record_count(), crc);
        let latest = |delta| batch.base_timestamp().saturating_add(delta);
        (delta.map(latest), crc)
    } else {
        let crc = crc32c_append(crc, batch.record_bytes());
        (Ok(batch.max_timestamp()), crc)
    };
    // Before anything that a flipped bit could have said: damage is answered as damage, which
    // clients send again.
    if crc != batch.crc() {
        return Err(InvalidBatch::Crc);
    }
    Ok(ValidBatch {
        batch,
        records: header?,
        max_timestamp: walked?,
    })
}

fn validate_header(batch: BatchView<'_>, limits: &Limits) -> Result<u32, InvalidBatch> {
    match batch.codec() {
        Codec::Unknown(_) => return Err(InvalidBatch::Codec),
        Codec::Zstd if limits.produce_version < 7 => return Err(InvalidBatch::Codec),
        _ => {}
    }
    if batch.is_control() {
        return Err(InvalidBatch::Control);
    }
    if batch.timestamp_type() == TimestampType::LogAppendTime {
        return Err(InvalidBatch::TimestampType);
    }
    let count = batch.record_count();
    if count <= 0 || batch.last_offset_delta() != count - 1 {
        return Err(InvalidBatch::OffsetRange);
    }
    if batch.has_producer_id() {
        if batch.producer_epoch() < 0 || batch.base_sequence() < 0 {
            return Err(InvalidBatch::Producer);
        }
    } else if batch.is_transactional() {
        return Err(InvalidBatch::Producer);
    }
    Ok(count as u32)
}
