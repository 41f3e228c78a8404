//! The header of a record batch (magic 2) and the checks that an append makes of it.

use crate::AppendError;
use precursor_memory::{crc32c, crc32c_append};
use precursor_model::Offset;

/// Bytes of a batch before its records.
pub(crate) const HEADER_LENGTH: usize = 61;
/// `baseOffset` and `batchLength`, which `batchLength` does not count.
const LENGTH_EXCLUDES: usize = 12;
/// Where the checksummed part begins.
pub(crate) const CRC_FROM: usize = 21;

const CODEC_MASK: i16 = 7;
const CODEC_MAX: i16 = 4;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// A batch's header, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub base_offset: Offset,
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
    pub fn parse(bytes: &[u8; HEADER_LENGTH]) -> BatchHeader {
        BatchHeader {
            base_offset: i64::from_be_bytes(field(bytes, 0)),
            batch_length: i32::from_be_bytes(field(bytes, 8)),
            leader_epoch: i32::from_be_bytes(field(bytes, 12)),
            magic: bytes[16] as i8,
            crc: u32::from_be_bytes(field(bytes, 17)),
            attributes: i16::from_be_bytes(field(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            count: i32::from_be_bytes(field(bytes, 57)),
        }
    }

    /// The header at the start of `bytes`, when that much is there.
    pub fn parse_prefix(bytes: &[u8]) -> Option<BatchHeader> {
        bytes.first_chunk().map(Self::parse)
    }

    /// The whole batch's length; `None` when the header cannot be one's.
    pub fn total_length(&self) -> Option<usize> {
        let length = usize::try_from(self.batch_length).ok()? + LENGTH_EXCLUDES;
        (length >= HEADER_LENGTH && self.magic == 2 && self.last_offset_delta >= 0)
            .then_some(length)
    }

    pub fn last_offset(&self) -> Offset {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    pub fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Sequence of the last record; sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        let sum = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        (sum & i64::from(i32::MAX)) as i32
    }
}

fn field<const N: usize>(bytes: &[u8; HEADER_LENGTH], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// True when the checksum of a whole batch is right.
pub(crate) fn checksum_holds(header: &BatchHeader, batch: &[u8]) -> bool {
    crc32c(&batch[CRC_FROM..]) == header.crc
}

/// Checks one partition's records of a Produce request: exactly one sound batch that a client may
/// send (Kafka: `ProduceRequest.validateRecords`, `LogValidator.validateBatch`).
pub(crate) fn check_produced(records: &[u8], bytes_max: usize) -> Result<BatchHeader, AppendError> {
    let Some(header) = BatchHeader::parse_prefix(records) else {
        return Err(if records.is_empty() {
            AppendError::InvalidRecord
        } else {
            AppendError::Corrupt
        });
    };
    if (0..2).contains(&header.magic) {
        return Err(AppendError::InvalidRecord);
    }
    let length = header.total_length().ok_or(AppendError::Corrupt)?;
    if length > records.len() {
        return Err(AppendError::Corrupt);
    }
    if length < records.len() {
        return Err(AppendError::InvalidRecord);
    }
    if length > bytes_max {
        return Err(AppendError::TooLarge);
    }
    if !checksum_holds(&header, records) {
        return Err(AppendError::Corrupt);
    }
    let dense = i64::from(header.last_offset_delta) + 1 == i64::from(header.count);
    let bad_sequence = header.has_producer() && header.base_sequence < 0;
    if !dense || header.attributes & CONTROL != 0 || bad_sequence {
        return Err(AppendError::InvalidRecord);
    }
    if header.attributes & TRANSACTIONAL != 0 {
        return Err(AppendError::InvalidTransactionState);
    }
    if header.attributes & CODEC_MASK > CODEC_MAX {
        return Err(AppendError::UnsupportedCompression);
    }
    if header.is_log_append_time() {
        return Err(AppendError::InvalidTimestamp);
    }
    Ok(header)
}

/// Writes the fields that the broker assigns into a copy of the header; `records` is the whole
/// batch as it came, for the checksum that LogAppendTime changes.
pub(crate) fn assign(
    header: &mut [u8; HEADER_LENGTH],
    records: &[u8],
    base_offset: Offset,
    leader_epoch: i32,
    log_append_time_ms: Option<i64>,
) {
    header[..8].copy_from_slice(&base_offset.to_be_bytes());
    header[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    if let Some(time) = log_append_time_ms {
        let attributes = i16::from_be_bytes(field(header, 21)) | LOG_APPEND_TIME;
        header[21..23].copy_from_slice(&attributes.to_be_bytes());
        header[35..43].copy_from_slice(&time.to_be_bytes());
        let crc = crc32c_append(crc32c(&header[CRC_FROM..]), &records[HEADER_LENGTH..]);
        header[17..21].copy_from_slice(&crc.to_be_bytes());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A well-formed batch of `count` records of about `bytes` in all, as a client sends it. The
    /// records themselves are filler: the broker does not look into them on this path.
    pub(crate) fn batch(count: i32, bytes: usize, fill: u8) -> Vec<u8> {
        producer_batch(count, bytes, fill, -1, -1, -1)
    }

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
        out[8..12].copy_from_slice(&((length - LENGTH_EXCLUDES) as i32).to_be_bytes());
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
        seal(&mut out);
        out
    }

    pub(crate) fn seal(batch: &mut [u8]) {
        let crc = crc32c(&batch[CRC_FROM..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
    }

    #[test]
    fn each_fault_has_its_error() {
        let sound = batch(3, 200, 1);
        assert!(check_produced(&sound, 1000).is_ok());
        assert_eq!(check_produced(&[], 1000), Err(AppendError::InvalidRecord));
        assert_eq!(
            check_produced(&sound[..60], 1000),
            Err(AppendError::Corrupt)
        );
        assert_eq!(
            check_produced(&sound[..199], 1000),
            Err(AppendError::Corrupt)
        );
        assert_eq!(check_produced(&sound, 199), Err(AppendError::TooLarge));
        let twice = [sound.clone(), sound.clone()].concat();
        assert_eq!(
            check_produced(&twice, 1000),
            Err(AppendError::InvalidRecord)
        );
        let mut flipped = sound.clone();
        flipped[150] ^= 1;
        assert_eq!(check_produced(&flipped, 1000), Err(AppendError::Corrupt));
        let with = |at: usize, bytes: &[u8]| {
            let mut changed = sound.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            seal(&mut changed);
            check_produced(&changed, 1000).unwrap_err()
        };
        assert_eq!(with(16, &[1]), AppendError::InvalidRecord);
        assert_eq!(with(16, &[3]), AppendError::Corrupt);
        assert_eq!(with(57, &[0, 0, 0, 4]), AppendError::InvalidRecord);
        assert_eq!(with(21, &[0, 32]), AppendError::InvalidRecord);
        assert_eq!(with(21, &[0, 16]), AppendError::InvalidTransactionState);
        assert_eq!(with(21, &[0, 8]), AppendError::InvalidTimestamp);
        assert_eq!(with(21, &[0, 5]), AppendError::UnsupportedCompression);
        assert_eq!(with(43, &[0; 8]), AppendError::InvalidRecord, "sequence -1");
        assert_eq!(with(8, &[0x7f, 0xff, 0xff, 0xff]), AppendError::Corrupt);
    }

    #[test]
    fn assigned_fields_keep_the_checksum_right() {
        let sent = batch(3, 200, 1);
        for time in [None, Some(77)] {
            let mut stored = sent.clone();
            let mut header: [u8; HEADER_LENGTH] = *sent.first_chunk().unwrap();
            assign(&mut header, &sent, 42, 7, time);
            stored[..HEADER_LENGTH].copy_from_slice(&header);
            let header = BatchHeader::parse(&header);
            assert!(checksum_holds(&header, &stored));
            assert_eq!((header.base_offset, header.last_offset()), (42, 44));
            assert_eq!(header.leader_epoch, 7);
            assert_eq!(header.max_timestamp, time.unwrap_or(2_000));
            assert_eq!(header.is_log_append_time(), time.is_some());
        }
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let header = BatchHeader::parse_prefix(&producer_batch(3, 100, 0, 1, 0, i32::MAX)).unwrap();
        assert_eq!(header.last_sequence(), 1);
    }
}
