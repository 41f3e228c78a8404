//! The walk over an uncompressed batch's records that every produce pays for.
//!
//! Most records look alike: short varints, the offset delta that is expected, no headers. For those
//! a few loads and compares suffice; whatever looks otherwise, good or bad, is read properly. Both
//! ways give the same verdict, which a test holds them to.

use super::record::read_record;
use super::validate::InvalidBatch;
use precursor_memory::crc32c_append;

/// How far the walk goes before the checksum follows: the bytes that one has read are still in the
/// processor's first cache for the other.
const STRIDE_BYTES: usize = 16 << 10;

/// Checks `count` records: that each can be read, that their offset deltas are 0, 1, 2 …, and that
/// nothing follows. Gives the largest timestamp delta, and `crc` continued over all of `bytes`,
/// whatever the verdict.
pub(super) fn check_records(
    bytes: &[u8],
    count: i32,
    crc: u32,
) -> (Result<i64, InvalidBatch>, u32) {
    let mut walk = Walk {
        rest: bytes,
        index: 0,
        count,
        last: LastLength::default(),
        timestamp_delta_max: i64::MIN,
    };
    let mut crc = crc;
    let mut summed = bytes;
    let verdict = loop {
        let outcome = walk.advance(STRIDE_BYTES);
        let walked;
        (walked, summed) = summed.split_at(summed.len() - walk.rest.len());
        crc = crc32c_append(crc, walked);
        if let Some(verdict) = outcome.transpose() {
            break verdict;
        }
    };
    (verdict, crc32c_append(crc, summed))
}

struct Walk<'a> {
    rest: &'a [u8],
    index: i32,
    count: i32,
    last: LastLength,
    timestamp_delta_max: i64,
}

impl Walk<'_> {
    /// Reads about `bytes` of records; the largest timestamp delta once all are read.
    #[inline]
    fn advance(&mut self, bytes: usize) -> Result<Option<i64>, InvalidBatch> {
        let pause = self.rest.len().saturating_sub(bytes);
        while self.index < self.count {
            let plain = plain_record(self.rest, self.index as u32, &mut self.last);
            let timestamp_delta = match plain {
                Some((timestamp_delta, after)) => {
                    self.rest = after;
                    timestamp_delta
                }
                None => any_record(&mut self.rest, self.index)?,
            };
            self.timestamp_delta_max = self.timestamp_delta_max.max(timestamp_delta);
            self.index += 1;
            if self.rest.len() <= pause && !self.rest.is_empty() {
                return Ok(None);
            }
        }
        if self.rest.is_empty() {
            Ok(Some(self.timestamp_delta_max))
        } else {
            Err(InvalidBatch::Record(super::RecordError::MoreRecords))
        }
    }
}

/// The length of the record before. Neighbours are often equally long, and then the processor,
/// betting on the comparison, need not wait for one record's length to find the next record.
#[derive(Default)]
struct LastLength {
    /// The bits that the length takes in a record's first bytes; 0: no record yet.
    mask: u64,
    pattern: u64,
    length: usize,
    size: usize,
}

impl LastLength {
    #[inline(always)]
    fn read(word: u64) -> Option<LastLength> {
        let (length, size) = length_in(word)?;
        let mask = (1 << (8 * size)) - 1;
        Some(LastLength {
            mask,
            pattern: word & mask,
            length,
            size,
        })
    }
}

#[cold]
#[inline(never)]
fn any_record(rest: &mut &[u8], index: i32) -> Result<i64, InvalidBatch> {
    let record = read_record(rest).map_err(InvalidBatch::Record)?;
    if record.offset_delta != index {
        return Err(InvalidBatch::OffsetDelta { index });
    }
    Ok(record.timestamp_delta)
}

/// The timestamp delta of a record in the usual shape and the bytes behind it; `None`: read it
/// properly.
#[inline(always)]
fn plain_record<'a>(bytes: &'a [u8], index: u32, last: &mut LastLength) -> Option<(i64, &'a [u8])> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    if word & last.mask != last.pattern || last.mask == 0 {
        *last = LastLength::read(word)?;
    }
    let (length, length_size) = (last.length, last.size);
    let (record, after) = bytes.split_at_checked(length_size + length)?;
    // Attributes, then the timestamp's delta: what is left of the eight bytes holds three of it.
    let word = word >> (8 * (length_size + 1));
    let (zigzag, timestamp_size) = varint_in(word)?;
    let timestamp_delta = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);

    let word = load(record, length_size + 1 + timestamp_size)?;
    let (zigzag, offset_size) = varint_in(word)?;
    if zigzag != u64::from(index) * 2 {
        return None;
    }
    let word = word >> (8 * offset_size);
    let mut at = length_size + 1 + timestamp_size + offset_size;
    // Null is -1, which zigzag makes 1.
    if word & 0xff == 1 {
        at += 1;
    } else {
        let (key, key_size) = length_in(word)?;
        at += key_size + key;
    }
    let (value, value_size) = match load(record, at) {
        Some(word) if word & 0xff != 1 => length_in(word)?,
        _ => return None,
    };
    at += value_size + value;
    // One byte is left: no headers.
    if at + 1 == record.len() && record[at] == 0 {
        Some((timestamp_delta, after))
    } else {
        None
    }
}

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> Option<u64> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*chunk))
}

/// A varint of up to three bytes at the low end of `word`, and its size.
#[inline(always)]
fn varint_in(word: u64) -> Option<(u64, usize)> {
    if word & 0x80 == 0 {
        Some((word & 0x7f, 1))
    } else if word & 0x8000 == 0 {
        Some((word & 0x7f | (word >> 1) & 0x3f80, 2))
    } else if word & 0x80_0000 == 0 {
        let value = word & 0x7f | (word >> 1) & 0x3f80 | (word >> 2) & 0x1f_c000;
        Some((value, 3))
    } else {
        None
    }
}

/// As [`varint_in`] for a length that is not negative.
#[inline(always)]
fn length_in(word: u64) -> Option<(usize, usize)> {
    let (zigzag, size) = varint_in(word)?;
    if zigzag & 1 == 0 {
        Some(((zigzag >> 1) as usize, size))
    } else {
        None
    }
}
