//! Snappy, in both forms that clients write: snappy-java's stream of blocks (Kafka's Java client), and
//! one block by itself (librdkafka).

use crate::output::Output;
use crate::{invalid, too_much};
use std::io::{self, Read, Write};

/// snappy-java's stream header: magic, version 1, compatible with 1.
const STREAM_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// What tells the two forms apart.
const MAGIC_BYTES: usize = 8;

/// Bytes before compression per block of a stream, as snappy-java has it.
const BLOCK_BYTES: usize = 32 << 10;

/// No element of a block gives more than 64 bytes for three: a block that claims more lies.
const EXPANSION_MAX: usize = 22;

/// Collects blocks and writes each as it is full.
pub(crate) struct Encoder<'a> {
    output: Output<'a>,
    raw: snap::raw::Encoder,
    block: Vec<u8>,
    compressed: Vec<u8>,
}

impl<'a> Encoder<'a> {
    pub fn new(mut output: Output<'a>) -> io::Result<Encoder<'a>> {
        output.write_all(&STREAM_HEADER)?;
        Ok(Encoder {
            output,
            raw: snap::raw::Encoder::new(),
            block: Vec::with_capacity(BLOCK_BYTES),
            compressed: vec![0; snap::raw::max_compress_len(BLOCK_BYTES)],
        })
    }

    fn write_block(&mut self) -> io::Result<()> {
        let length = self.raw.compress(&self.block, &mut self.compressed);
        let length = length.map_err(io::Error::other)?;
        let prefix = u32::try_from(length).map_err(io::Error::other)?;
        self.output.write_all(&prefix.to_be_bytes())?;
        self.output.write_all(&self.compressed[..length])?;
        self.block.clear();
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<()> {
        match self.block.is_empty() {
            true => Ok(()),
            false => self.write_block(),
        }
    }
}

impl Write for Encoder<'_> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let count = plain.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&plain[..count]);
        if self.block.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decompresses block after block.
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    is_stream: bool,
    raw: snap::raw::Decoder,
    block: Vec<u8>,
    given: usize,
    block_bytes_max: usize,
}

impl<'a> Decoder<'a> {
    /// `block_bytes_max`: of one block, decompressed.
    pub fn new(compressed: &'a [u8], block_bytes_max: usize) -> Decoder<'a> {
        let blocks = compressed
            .strip_prefix(&STREAM_HEADER[..MAGIC_BYTES])
            .and_then(|rest| rest.get(STREAM_HEADER.len() - MAGIC_BYTES..));
        Decoder {
            rest: blocks.unwrap_or(compressed),
            is_stream: blocks.is_some(),
            raw: snap::raw::Decoder::new(),
            block: Vec::new(),
            given: 0,
            block_bytes_max,
        }
    }

    /// Decompresses the next block; false when there is none.
    fn next_block(&mut self) -> io::Result<bool> {
        self.block.clear();
        self.given = 0;
        let block = match self.is_stream {
            _ if self.rest.is_empty() => return Ok(false),
            false => std::mem::take(&mut self.rest),
            true => self.split_block()?,
        };
        let length = snap::raw::decompress_len(block).map_err(io::Error::other)?;
        if length > block.len().saturating_mul(EXPANSION_MAX) {
            return Err(invalid("a snappy block claims more than it can hold"));
        }
        if length > self.block_bytes_max {
            return Err(too_much(self.block_bytes_max));
        }
        self.block.resize(length, 0);
        let raw = self.raw.decompress(block, &mut self.block);
        raw.map_err(io::Error::other)?;
        Ok(true)
    }

    fn split_block(&mut self) -> io::Result<&'a [u8]> {
        let Some((length, rest)) = self.rest.split_first_chunk::<4>() else {
            return Err(invalid("a snappy stream ends within a block's length"));
        };
        let length = u32::from_be_bytes(*length) as usize;
        let split = rest.split_at_checked(length);
        let (block, rest) = split.ok_or_else(|| invalid("a snappy block is cut short"))?;
        self.rest = rest;
        Ok(block)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        // A block may be empty.
        while self.given == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let block = &self.block[self.given..];
        let count = block.len().min(plain.len());
        plain[..count].copy_from_slice(&block[..count]);
        self.given += count;
        Ok(count)
    }
}
