//! A batch's header by itself: what those who read logs need, where the records need not be at hand.

use super::batch::{BatchView, add_sequence};
use super::{
    ATTRIBUTE_CONTROL, ATTRIBUTE_LOG_APPEND_TIME, ATTRIBUTE_TRANSACTIONAL, CRC_COVERS_FROM,
    HEADER_LENGTH, LOG_OVERHEAD, MAGIC, NO_PRODUCER_ID,
};
use precursor_memory::crc32c;

/// A batch's header, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    pub batch_length: i32,
    pub leader_epoch: i32,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

impl BatchHeader {
    /// The fields of a whole header.
    pub fn parse(bytes: &[u8; HEADER_LENGTH]) -> BatchHeader {
        let view = BatchView::over_header(bytes);
        BatchHeader {
            base_offset: view.base_offset(),
            batch_length: view.length_field(),
            leader_epoch: view.leader_epoch(),
            magic: view.magic(),
            crc: view.crc(),
            attributes: view.attributes(),
            last_offset_delta: view.last_offset_delta(),
            base_timestamp: view.base_timestamp(),
            max_timestamp: view.max_timestamp(),
            producer_id: view.producer_id(),
            producer_epoch: view.producer_epoch(),
            base_sequence: view.base_sequence(),
            count: view.record_count(),
        }
    }

    /// The header at the start of `bytes`, when that much is there.
    pub fn parse_prefix(bytes: &[u8]) -> Option<BatchHeader> {
        bytes.first_chunk().map(Self::parse)
    }

    /// The whole batch's length; `None` when the header cannot be one's.
    pub fn total_length(&self) -> Option<usize> {
        let length = usize::try_from(self.batch_length).ok()? + LOG_OVERHEAD;
        (length >= HEADER_LENGTH && self.magic == MAGIC && self.last_offset_delta >= 0)
            .then_some(length)
    }

    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    pub fn is_log_append_time(&self) -> bool {
        self.attributes & ATTRIBUTE_LOG_APPEND_TIME != 0
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & ATTRIBUTE_TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & ATTRIBUTE_CONTROL != 0
    }

    pub fn has_producer(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// Sequence of the last record; sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        add_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// True when the checksum of a whole batch with this header is right.
    pub fn checksum_holds(&self, batch: &[u8]) -> bool {
        crc32c(&batch[CRC_COVERS_FROM..]) == self.crc
    }
}
