//! Little-endian fields, length-prefixed texts and lists.

use std::fmt;

/// A message that does not fit its own lengths, or whose kind or values are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed control message: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

pub(super) struct Writer<'v>(pub &'v mut Vec<u8>);

impl Writer<'_> {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    pub fn i16(&mut self, value: i16) {
        self.u16(value as u16);
    }
    pub fn i32(&mut self, value: i32) {
        self.u32(value as u32);
    }
    /// At most 65,535 bytes: longer texts are cut by the caller's own bounds before this.
    pub fn text(&mut self, value: &str) {
        assert!(
            value.len() <= usize::from(u16::MAX),
            "a control message's text is bounded"
        );
        self.u16(value.len() as u16);
        self.0.extend_from_slice(value.as_bytes());
    }
    pub fn list_i32(&mut self, values: &[i32]) {
        assert!(
            values.len() <= usize::from(u16::MAX),
            "a control message's list is bounded"
        );
        self.u16(values.len() as u16);
        for value in values {
            self.i32(*value);
        }
    }
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Malformed("cut short"))?;
        self.rest = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Malformed("cut short"))?;
        self.rest = rest;
        Ok(*head)
    }
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(self.u16()? as i16)
    }
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(self.u32()? as i32)
    }
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a flag that is neither 0 nor 1")),
        }
    }
    pub fn id(&mut self) -> Result<[u8; 16], Malformed> {
        self.array()
    }
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed("a text that is not UTF-8"))
    }
    pub fn list_i32(&mut self) -> Result<Vec<i32>, Malformed> {
        let count = usize::from(self.u16()?);
        let bytes = self.take(count * 4)?;
        let (chunks, _) = bytes.as_chunks::<4>();
        Ok(chunks
            .iter()
            .map(|chunk| i32::from_le_bytes(*chunk))
            .collect())
    }
    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
    pub fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed("bytes after the end"))
        }
    }
}
