//! Writing the fields that the broker assigns into a batch.

use super::batch::{BatchError, BatchView, Codec};
use super::{
    ATTRIBUTE_CODEC, ATTRIBUTE_LOG_APPEND_TIME, CRC_COVERS_FROM, HEADER_LENGTH, LOG_OVERHEAD,
};
use precursor_memory::{crc32c, crc32c_append};

/// What the broker assigns to a produced batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub base_offset: i64,
    pub leader_epoch: i32,
    /// Under LogAppendTime: the time of all records.
    pub log_append_time_ms: Option<i64>,
    /// The largest of the records' timestamps, which the header is to say (Kafka:
    /// `LogValidator.assignOffsetsNonCompressed`).
    pub max_timestamp: i64,
}

impl Assignment {
    /// Writes the fields into a copy of a batch's header; `records` are what follows it. The
    /// checksum covers none of them but the timestamps, which seldom change.
    pub fn write(&self, header: &mut [u8; HEADER_LENGTH], records: &[u8]) {
        header[..8].copy_from_slice(&self.base_offset.to_be_bytes());
        header[12..16].copy_from_slice(&self.leader_epoch.to_be_bytes());
        let sent = BatchView::over_header(header);
        let (mut attributes, max_timestamp) = (sent.attributes(), sent.max_timestamp());
        let mut assigned = self.max_timestamp;
        if let Some(time) = self.log_append_time_ms {
            attributes |= ATTRIBUTE_LOG_APPEND_TIME;
            assigned = time;
        }
        if assigned != max_timestamp || self.log_append_time_ms.is_some() {
            header[21..23].copy_from_slice(&attributes.to_be_bytes());
            header[35..43].copy_from_slice(&assigned.to_be_bytes());
            let crc = crc32c_append(crc32c(&header[CRC_COVERS_FROM..]), records);
            header[17..21].copy_from_slice(&crc.to_be_bytes());
        }
    }
}

/// A whole batch that may be changed.
///
/// Base offset and leader epoch lie before the bytes that the CRC covers: assigning them is free.
/// The others need the CRC anew, which reads the whole batch.
#[derive(Debug)]
pub struct BatchHeaderMut<'a> {
    bytes: &'a mut [u8],
}

impl<'a> BatchHeaderMut<'a> {
    /// `bytes` are one batch and nothing else.
    pub fn parse(bytes: &'a mut [u8]) -> Result<BatchHeaderMut<'a>, BatchError> {
        let length = BatchView::parse(bytes)?.bytes().len();
        if length != bytes.len() {
            return Err(BatchError::Truncated);
        }
        Ok(BatchHeaderMut { bytes })
    }

    /// A header, copied from a sound batch, and whatever records follow it now: its length is set to
    /// fit. The CRC is not, until a field that it covers is set.
    ///
    /// # Panics
    /// If there is no whole header, or no header of a batch.
    pub fn of_rewritten(bytes: &'a mut [u8]) -> BatchHeaderMut<'a> {
        let length = (bytes.len() - LOG_OVERHEAD) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        BatchHeaderMut { bytes }
    }

    /// Says in which codec the records are. The CRC is not recomputed.
    pub fn set_codec(&mut self, codec: Codec) {
        let attributes = self.view().attributes() & !ATTRIBUTE_CODEC | codec.bits();
        self.put(21, &attributes.to_be_bytes());
    }

    /// The batch as it is now.
    pub fn view(&self) -> BatchView<'_> {
        // Parsed when this was made, and none of its methods touches length or magic.
        BatchView::parse(self.bytes).expect("a parsed batch stays one")
    }

    fn put(&mut self, at: usize, field: &[u8]) {
        self.bytes[at..at + field.len()].copy_from_slice(field);
    }

    /// Assigns the offset of the first record; the others follow by their deltas.
    #[inline]
    pub fn set_base_offset(&mut self, offset: i64) {
        self.put(0, &offset.to_be_bytes());
    }

    #[inline]
    pub fn set_leader_epoch(&mut self, epoch: i32) {
        self.put(12, &epoch.to_be_bytes());
    }

    /// Makes the batch one of LogAppendTime with this time for all its records; the CRC is
    /// recomputed. As in Kafka the base timestamp stays, since the records' deltas refer to it.
    pub fn set_log_append_time(&mut self, now_ms: i64) {
        let attributes = self.view().attributes() | ATTRIBUTE_LOG_APPEND_TIME;
        self.put(21, &attributes.to_be_bytes());
        self.put(35, &now_ms.to_be_bytes());
        self.update_crc();
    }

    /// Corrects the largest timestamp; the CRC is recomputed.
    pub fn set_max_timestamp(&mut self, timestamp: i64) {
        self.put(35, &timestamp.to_be_bytes());
        self.update_crc();
    }

    /// Sets producer id, epoch and base sequence; the CRC is recomputed. For clients and tests.
    pub fn set_producer(&mut self, id: i64, epoch: i16, base_sequence: i32) {
        self.put(43, &id.to_be_bytes());
        self.put(51, &epoch.to_be_bytes());
        self.put(53, &base_sequence.to_be_bytes());
        self.update_crc();
    }

    /// Computes the CRC over the batch as it is.
    pub fn update_crc(&mut self) {
        debug_assert!(self.bytes.len() >= HEADER_LENGTH);
        let crc = crc32c(&self.bytes[CRC_COVERS_FROM..]);
        self.put(17, &crc.to_be_bytes());
    }
}
