//! Batches as the log takes them: the fields that the broker assigns.

pub(crate) use precursor_protocol::records::{BatchHeader, HEADER_LENGTH};

use crate::AppendError;
use precursor_model::ErrorCode;
use precursor_protocol::records::InvalidBatch;

impl From<InvalidBatch> for AppendError {
    fn from(invalid: InvalidBatch) -> AppendError {
        match invalid.code() {
            ErrorCode::CorruptMessage => AppendError::Corrupt,
            ErrorCode::MessageTooLarge => AppendError::TooLarge,
            ErrorCode::InvalidTimestamp => AppendError::InvalidTimestamp,
            ErrorCode::UnsupportedCompressionType => AppendError::UnsupportedCompression,
            _ => AppendError::InvalidRecord,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use precursor_memory::crc32c;
    use precursor_protocol::records::LOG_OVERHEAD;

    /// The header of a batch is all that these tests look at: its records are filler.
    pub(crate) fn producer_batch(
        count: i32,
        bytes: usize,
        fill: u8,
        producer_id: i64,
        epoch: i16,
        sequence: i32,
    ) -> Vec<u8> {
        let length = bytes.max(HEADER_LENGTH);
        let mut out = vec![fill; length];
        out[..8].fill(0);
        out[8..12].copy_from_slice(&((length - LOG_OVERHEAD) as i32).to_be_bytes());
        out[12..16].copy_from_slice(&(-1i32).to_be_bytes());
        out[16] = 2;
        out[21..23].fill(0);
        out[23..27].copy_from_slice(&(count - 1).to_be_bytes());
        out[27..35].copy_from_slice(&1_000i64.to_be_bytes());
        out[35..43].copy_from_slice(&2_000i64.to_be_bytes());
        out[43..51].copy_from_slice(&producer_id.to_be_bytes());
        out[51..53].copy_from_slice(&epoch.to_be_bytes());
        out[53..57].copy_from_slice(&sequence.to_be_bytes());
        out[57..61].copy_from_slice(&count.to_be_bytes());
        let crc = crc32c(&out[21..]);
        out[17..21].copy_from_slice(&crc.to_be_bytes());
        out
    }
}
