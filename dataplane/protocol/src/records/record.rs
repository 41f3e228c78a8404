//! The records inside a batch that is not (or no longer) compressed.

use super::varint::{read_int, read_long};
use std::fmt;

/// Why bytes are not the records they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A record is longer than the bytes that are there, or a part longer than its record.
    UnexpectedEnd,
    /// A varint with too many bits, or a length below what it can be.
    BadLength,
    /// The record's length says more than its parts take.
    BytesLeft,
    /// A header's key is null or not UTF-8.
    BadHeaderKey,
    /// More bytes than the batch has records.
    MoreRecords,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecordError::UnexpectedEnd => "a record ends inside a field",
            RecordError::BadLength => "a record has an impossible length in it",
            RecordError::BytesLeft => "a record is longer than its parts",
            RecordError::BadHeaderKey => "a record header has no proper key",
            RecordError::MoreRecords => "a batch holds more records than it says",
        })
    }
}

impl std::error::Error for RecordError {}

/// One record, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// To be added to the batch's base timestamp.
    pub timestamp_delta: i64,
    /// To be added to the batch's base offset.
    pub offset_delta: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub key: &'a str,
    pub value: Option<&'a [u8]>,
}

/// A record's headers; walked when the record was parsed, so iterating cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    left: u32,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_header(&mut self.bytes).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// Walks records; after an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    left: i32,
}

impl<'a> Records<'a> {
    /// `bytes` are a batch's records, not compressed; `count` is what its header says.
    pub fn new(bytes: &'a [u8], count: i32) -> Self {
        Records { bytes, left: count }
    }

    /// The bytes that are not walked yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            if self.bytes.is_empty() {
                return None;
            }
            self.bytes = &[];
            return Some(Err(RecordError::MoreRecords));
        }
        self.left -= 1;
        let record = read_record(&mut self.bytes);
        if record.is_err() {
            self.left = 0;
            self.bytes = &[];
        }
        Some(record)
    }
}

/// A varint length: -1 is null.
#[inline]
fn read_option<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordError> {
    let length = read_int(bytes).ok_or(RecordError::UnexpectedEnd)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| RecordError::BadLength)?;
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or(RecordError::UnexpectedEnd)?;
    *bytes = rest;
    Ok(Some(taken))
}

#[inline]
pub(super) fn read_record<'a>(bytes: &mut &'a [u8]) -> Result<Record<'a>, RecordError> {
    let mut record = read_option(bytes)?.ok_or(RecordError::BadLength)?;
    // One byte of attributes that mean nothing yet.
    record = record.get(1..).ok_or(RecordError::UnexpectedEnd)?;
    let timestamp_delta = read_long(&mut record).ok_or(RecordError::UnexpectedEnd)?;
    let offset_delta = read_int(&mut record).ok_or(RecordError::UnexpectedEnd)?;
    let key = read_option(&mut record)?;
    let value = read_option(&mut record)?;
    let headers = read_headers(&mut record)?;
    if !record.is_empty() {
        return Err(RecordError::BytesLeft);
    }
    Ok(Record {
        timestamp_delta,
        offset_delta,
        key,
        value,
        headers,
    })
}

#[inline]
fn read_headers<'a>(bytes: &mut &'a [u8]) -> Result<Headers<'a>, RecordError> {
    let count = read_int(bytes).ok_or(RecordError::UnexpectedEnd)?;
    let left = u32::try_from(count).map_err(|_| RecordError::BadLength)?;
    let headers = Headers { bytes, left };
    // Each takes two bytes at least, so a false count ends with the bytes.
    for _ in 0..left {
        read_header(bytes)?;
    }
    Ok(headers)
}

fn read_header<'a>(bytes: &mut &'a [u8]) -> Result<Header<'a>, RecordError> {
    let key = read_option(bytes)?.ok_or(RecordError::BadHeaderKey)?;
    let key = std::str::from_utf8(key).map_err(|_| RecordError::BadHeaderKey)?;
    let value = read_option(bytes)?;
    Ok(Header { key, value })
}
