//! The walk over a compressed batch's records, which are never in memory together.

use crate::api::AppendError;
use precursor_compression::{Decoder, PlainLimits};
use precursor_protocol::records::Records;
use std::io::{ErrorKind, Read};

/// Bytes that are decompressed at a time.
const STEP_BYTES: usize = 64 << 10;
/// Memory for a long record is given back after its batch.
const WINDOW_BYTES_KEPT: usize = 1 << 20;
/// The longest varint of 32 bits.
const LENGTH_BYTES_MAX: usize = 5;

/// What is asked of the records.
pub(super) struct Rules {
    pub count: i32,
    pub limits: PlainLimits,
    pub keys: bool,
}

/// A piece of the plain records, kept from one batch to the next.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    /// Up to here records were checked.
    start: usize,
    end: usize,
}

/// Checks the records that `decoder` gives, and hands their bytes on as they are. Returns the
/// largest timestamp delta.
pub(super) fn walk_records(
    mut decoder: Decoder<'_>,
    window: &mut Window,
    rules: &Rules,
    mut take: impl FnMut(&[u8]) -> Result<(), AppendError>,
) -> Result<i64, AppendError> {
    window.reset();
    let mut walk = Walk {
        decoder: &mut decoder,
        window,
        left: rules.limits.batch_bytes_max,
        ended: false,
    };
    let mut latest = i64::MIN;
    for index in 0..rules.count {
        let length = walk.record_length(rules.limits.record_bytes_max, &mut take)?;
        let record = walk.window.next(length);
        let record = Records::new(record, 1).next();
        let record = record.and_then(Result::ok);
        let record = record.ok_or(AppendError::InvalidRecord)?;
        if record.offset_delta != index || rules.keys && record.key.is_none() {
            return Err(AppendError::InvalidRecord);
        }
        latest = latest.max(record.timestamp_delta);
    }
    // Kafka: `DefaultRecordBatch.RecordIterator.ensureNoneRemaining`.
    walk.pass_on(&mut take)?;
    if walk.fill()? || walk.window.start < walk.window.end {
        return Err(AppendError::InvalidRecord);
    }
    decoder.finish().map_err(|_| AppendError::InvalidRecord)?;
    Ok(latest)
}

impl Window {
    fn reset(&mut self) {
        self.start = 0;
        self.end = 0;
        if self.bytes.len() > WINDOW_BYTES_KEPT {
            self.bytes = Vec::new();
        }
    }

    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The next record, which must be there.
    fn next(&mut self, length: usize) -> &[u8] {
        self.start += length;
        &self.bytes[self.start - length..self.start]
    }
}

struct Walk<'a, 'd> {
    decoder: &'a mut Decoder<'d>,
    window: &'a mut Window,
    /// Bytes that may still come.
    left: u64,
    ended: bool,
}

impl Walk<'_, '_> {
    /// Makes sure that the next record is in the window as a whole; its length with its prefix.
    fn record_length(
        &mut self,
        bytes_max: usize,
        take: &mut impl FnMut(&[u8]) -> Result<(), AppendError>,
    ) -> Result<usize, AppendError> {
        loop {
            let unread = self.window.unread();
            let prefix = read_length(unread)?;
            let wanted = match prefix {
                Some((length, prefix)) if length > bytes_max - prefix => {
                    return Err(AppendError::TooLarge);
                }
                Some((length, prefix)) => prefix + length,
                None => LENGTH_BYTES_MAX,
            };
            if prefix.is_some() && unread.len() >= wanted {
                return Ok(wanted);
            }
            if unread.len() + self.free() < wanted.max(STEP_BYTES) {
                self.make_room(wanted, take)?;
            }
            if !self.fill()? {
                return Err(AppendError::InvalidRecord);
            }
        }
    }

    fn free(&self) -> usize {
        self.window.bytes.len() - self.window.end
    }

    /// Hands on what was checked, and moves the rest to the front of a window that is long enough.
    fn make_room(
        &mut self,
        wanted: usize,
        take: &mut impl FnMut(&[u8]) -> Result<(), AppendError>,
    ) -> Result<(), AppendError> {
        self.pass_on(take)?;
        let window = &mut *self.window;
        // A long record gets memory as its bytes come, not as it claims.
        let grown = (2 * window.end).max(STEP_BYTES);
        let length = wanted.min(grown).max(2 * STEP_BYTES);
        if window.bytes.len() < length {
            window.bytes.resize(length, 0);
        }
        Ok(())
    }

    fn pass_on(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Result<(), AppendError>,
    ) -> Result<(), AppendError> {
        let window = &mut *self.window;
        take(&window.bytes[..window.start])?;
        window.bytes.copy_within(window.start..window.end, 0);
        window.end -= window.start;
        window.start = 0;
        Ok(())
    }

    /// Decompresses into the free end of the window; false at the end of the batch.
    fn fill(&mut self) -> Result<bool, AppendError> {
        let window = &mut *self.window;
        if window.bytes.len() == window.end {
            window.bytes.resize(window.end + STEP_BYTES, 0);
        }
        let mut any = false;
        while !self.ended && window.end < window.bytes.len() {
            match self.decoder.read(&mut window.bytes[window.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    any = true;
                    window.end += count;
                    let left = self.left.checked_sub(count as u64);
                    self.left = left.ok_or(AppendError::TooLarge)?;
                }
                Err(error) => return Err(refusal(error.kind())),
            }
        }
        Ok(any)
    }
}

fn refusal(kind: ErrorKind) -> AppendError {
    match kind {
        ErrorKind::FileTooLarge => AppendError::TooLarge,
        _ => AppendError::InvalidRecord,
    }
}

/// A record's length and how many bytes say so; `None` while too few are there.
fn read_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, AppendError> {
    let mut zigzag = 0u64;
    for (at, byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        zigzag |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let length = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            let length = usize::try_from(length).map_err(|_| AppendError::InvalidRecord)?;
            return Ok(Some((length, at + 1)));
        }
    }
    match bytes.len() < LENGTH_BYTES_MAX {
        true => Ok(None),
        false => Err(AppendError::InvalidRecord),
    }
}
