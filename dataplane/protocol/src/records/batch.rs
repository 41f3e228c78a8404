//! One batch, borrowed.

use super::record::{Record, Records};
use super::{
    ATTRIBUTE_CODEC, ATTRIBUTE_CONTROL, ATTRIBUTE_DELETE_HORIZON, ATTRIBUTE_LOG_APPEND_TIME,
    ATTRIBUTE_TRANSACTIONAL, CRC_COVERS_FROM, HEADER_LENGTH, LOG_OVERHEAD, MAGIC, NO_PRODUCER_ID,
};
use precursor_memory::crc32c;
use precursor_model::{ErrorCode, TimestampType};
use std::fmt;

/// Why bytes are not a whole batch of magic 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// The bytes end before the batch does.
    Truncated,
    /// The length is too small for a batch of any format.
    LengthTooSmall { length: i32 },
    /// A format that no broker has written since 0.11, or none at all.
    Magic { magic: i8 },
}

impl BatchError {
    /// What Kafka answers to a producer that sends it (`ByteBufferLogInputStream`,
    /// `ProduceRequest.validateRecords`).
    pub const fn code(self) -> ErrorCode {
        match self {
            BatchError::Truncated => ErrorCode::InvalidRecord,
            BatchError::LengthTooSmall { .. } => ErrorCode::CorruptMessage,
            // A magic that exists but may no longer be produced is the client's choice; one that
            // never existed is damage.
            BatchError::Magic { magic: 0 | 1 } => ErrorCode::InvalidRecord,
            BatchError::Magic { .. } => ErrorCode::CorruptMessage,
        }
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Truncated => f.write_str("the record batch is cut off"),
            BatchError::LengthTooSmall { length } => {
                write!(f, "a record batch cannot be {length} bytes long")
            }
            BatchError::Magic { magic } => write!(f, "message format {magic} is not accepted"),
        }
    }
}

impl std::error::Error for BatchError {}

/// A batch's compression (attribute bits 0 to 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
    /// 5 to 7, which Kafka does not define.
    Unknown(u8),
}

impl Codec {
    /// The codec in a batch's attributes.
    pub const fn from_attributes(attributes: i16) -> Codec {
        match attributes & ATTRIBUTE_CODEC {
            0 => Codec::None,
            1 => Codec::Gzip,
            2 => Codec::Snappy,
            3 => Codec::Lz4,
            4 => Codec::Zstd,
            other => Codec::Unknown(other as u8),
        }
    }

    /// The attribute bits.
    pub const fn bits(self) -> i16 {
        match self {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
            Codec::Unknown(bits) => (bits as i16) & ATTRIBUTE_CODEC,
        }
    }
}

/// A batch of magic 2, borrowed: its length has been checked against the bytes that are there,
/// nothing else has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchView<'a> {
    bytes: &'a [u8],
}

macro_rules! header_fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $at:literal;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(&self) -> $type {
            const SIZE: usize = size_of::<$type>();
            let mut field = [0; SIZE];
            field.copy_from_slice(&self.bytes[$at..$at + SIZE]);
            <$type>::from_be_bytes(field)
        }
    )*};
}

impl<'a> BatchView<'a> {
    /// The batch at the front of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<BatchView<'a>, BatchError> {
        let length = Self::length_at(bytes)?.ok_or(BatchError::Truncated)?;
        let bytes = bytes.get(..length).ok_or(BatchError::Truncated)?;
        Ok(BatchView { bytes })
    }

    /// The length, with its header, of the batch that begins at `bytes`, of which maybe only the
    /// front is there; `None` while too little is there to tell. For those who read logs.
    pub fn length_at(bytes: &[u8]) -> Result<Option<usize>, BatchError> {
        // Everything up to the magic stands at the same place in all formats.
        let Some(front) = bytes.first_chunk::<17>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes([front[8], front[9], front[10], front[11]]);
        let magic = front[16] as i8;
        // 14 is the least message of the oldest format.
        if length < 14 {
            return Err(BatchError::LengthTooSmall { length });
        }
        if magic != MAGIC {
            return Err(BatchError::Magic { magic });
        }
        if (length as usize) < HEADER_LENGTH - LOG_OVERHEAD {
            return Err(BatchError::LengthTooSmall { length });
        }
        Ok(Some(LOG_OVERHEAD + length as usize))
    }

    /// Of a header alone, for its fields.
    pub(super) fn over_header(bytes: &'a [u8; HEADER_LENGTH]) -> BatchView<'a> {
        BatchView { bytes }
    }

    header_fields! {
        base_offset: i64 = 0;
        /// Bytes after the length field itself.
        length_field: i32 = 8;
        leader_epoch: i32 = 12;
        magic: i8 = 16;
        /// As the header says; [`BatchView::crc_is_right`] compares.
        crc: u32 = 17;
        attributes: i16 = 21;
        last_offset_delta: i32 = 23;
        base_timestamp: i64 = 27;
        max_timestamp: i64 = 35;
        producer_id: i64 = 43;
        producer_epoch: i16 = 51;
        base_sequence: i32 = 53;
        record_count: i32 = 57;
    }

    /// The whole batch.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as they are, maybe compressed.
    #[inline]
    pub fn record_bytes(&self) -> &'a [u8] {
        &self.bytes[HEADER_LENGTH..]
    }

    #[inline]
    pub fn last_offset(&self) -> i64 {
        self.base_offset()
            .wrapping_add(i64::from(self.last_offset_delta()))
    }

    /// The sequence number of the last record; sequences wrap to 0 after `i32::MAX`.
    pub fn last_sequence(&self) -> i32 {
        add_sequence(self.base_sequence(), self.last_offset_delta())
    }

    #[inline]
    pub fn codec(&self) -> Codec {
        Codec::from_attributes(self.attributes())
    }

    #[inline]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes() & ATTRIBUTE_LOG_APPEND_TIME != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    #[inline]
    pub fn is_transactional(&self) -> bool {
        self.attributes() & ATTRIBUTE_TRANSACTIONAL != 0
    }

    /// A batch that the broker writes: a transaction's end, for instance.
    #[inline]
    pub fn is_control(&self) -> bool {
        self.attributes() & ATTRIBUTE_CONTROL != 0
    }

    /// From when on compaction may drop the batch's tombstones; it lies in the base timestamp's
    /// place (KIP-534).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        let set = self.attributes() & ATTRIBUTE_DELETE_HORIZON != 0;
        set.then(|| self.base_timestamp())
    }

    /// The time of one of the batch's records.
    pub fn timestamp_of(&self, record: &Record<'_>) -> i64 {
        match self.timestamp_type() {
            TimestampType::LogAppendTime => self.max_timestamp(),
            TimestampType::CreateTime => self.base_timestamp().wrapping_add(record.timestamp_delta),
        }
    }

    #[inline]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id() > NO_PRODUCER_ID
    }

    /// Reads the whole batch.
    #[inline]
    pub fn crc_is_right(&self) -> bool {
        crc32c(&self.bytes[CRC_COVERS_FROM..]) == self.crc()
    }

    /// The records of an uncompressed batch. Of a compressed one: decompress
    /// [`BatchView::record_bytes`] and walk that with [`Records::new`].
    pub fn records(&self) -> Records<'a> {
        Records::new(self.record_bytes(), self.record_count())
    }
}

impl fmt::Debug for BatchView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchView")
            .field("base_offset", &self.base_offset())
            .field("length", &self.bytes.len())
            .field("leader_epoch", &self.leader_epoch())
            .field("attributes", &self.attributes())
            .field("last_offset_delta", &self.last_offset_delta())
            .field("base_timestamp", &self.base_timestamp())
            .field("max_timestamp", &self.max_timestamp())
            .field("producer_id", &self.producer_id())
            .field("producer_epoch", &self.producer_epoch())
            .field("base_sequence", &self.base_sequence())
            .field("record_count", &self.record_count())
            .finish_non_exhaustive()
    }
}

/// `sequence + increment`, wrapping to 0 after `i32::MAX` (`DefaultRecordBatch.incrementSequence`).
pub(super) fn add_sequence(sequence: i32, increment: i32) -> i32 {
    match sequence.checked_add(increment) {
        Some(sum) => sum,
        None => increment.wrapping_sub(i32::MAX - sequence).wrapping_sub(1),
    }
}

/// Walks consecutive batches; after an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

/// The batches in a produce request's records, or in a piece of a log.
pub fn split_batches(records: &[u8]) -> Batches<'_> {
    Batches { rest: records }
}

impl<'a> Batches<'a> {
    /// The bytes that are not walked yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<BatchView<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let batch = BatchView::parse(self.rest);
        self.rest = match batch {
            Ok(batch) => &self.rest[batch.bytes.len()..],
            Err(_) => &[],
        };
        Some(batch)
    }
}
