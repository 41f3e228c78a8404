//! LZ4 frames.
//!
//! What Kafka's own clients write, and what is written here, is one kind of frame: independent blocks of
//! 64 KiB at most, no checksums (a batch has its own). It is read and written block by block, into
//! memory that is kept; all other kinds are left to the library's stream.

use crate::invalid;
use crate::output::Output;
use lz4::block::{CompressionMode, compress_bound, compress_to_buffer, decompress_to_buffer};
use std::io::{self, Read, Write};

/// Kafka's default, which it understands as the fast compressor; every other level is one of the
/// high compressor (`Lz4BlockOutputStream`).
pub(crate) const LEVEL_DEFAULT: i32 = 9;

/// The high compressor's levels in the library.
const HIGH_LEVELS: std::ops::RangeInclusive<i32> = 3..=12;

/// Magic; version 1, independent blocks; 64 KiB; the header's own check byte (LZ4 Frame Format 1.6).
const HEADER: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const BLOCK_BYTES_MAX: usize = 64 << 10;
/// Of a block's length: its bytes are as they were.
const UNCOMPRESSED: u32 = 1 << 31;
const END: [u8; 4] = [0; 4];

/// Memory of one block before it is compressed and after, kept from one batch to the next.
#[derive(Default)]
pub(crate) struct Memory {
    plain: Vec<u8>,
    block: Vec<u8>,
}

/// Writes a frame of that kind.
pub(crate) struct Encoder<'a> {
    output: Output<'a>,
    mode: CompressionMode,
    /// `plain` is what does not fill a block yet.
    memory: &'a mut Memory,
    has_begun: bool,
}

impl<'a> Encoder<'a> {
    pub fn new(level: i32, output: Output<'a>, memory: &'a mut Memory) -> io::Result<Encoder<'a>> {
        let mode = match level {
            LEVEL_DEFAULT => CompressionMode::DEFAULT,
            level => CompressionMode::HIGHCOMPRESSION(
                level.clamp(*HIGH_LEVELS.start(), *HIGH_LEVELS.end()),
            ),
        };
        // One that failed may have left something.
        memory.plain.clear();
        memory.block.resize(compress_bound(BLOCK_BYTES_MAX)?, 0);
        Ok(Encoder {
            output,
            mode,
            memory,
            has_begun: false,
        })
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.output.write_all(&HEADER)?;
        }
        Ok(())
    }

    fn write_block(&mut self, plain: &[u8]) -> io::Result<()> {
        self.begin()?;
        let length = compress_to_buffer(plain, Some(self.mode), false, &mut self.memory.block)?;
        let (head, bytes) = if length < plain.len() {
            (length as u32, &self.memory.block[..length])
        } else {
            (plain.len() as u32 | UNCOMPRESSED, plain)
        };
        self.output.write_all(&head.to_le_bytes())?;
        self.output.write_all(bytes)
    }

    fn flush_plain(&mut self) -> io::Result<()> {
        let mut plain = std::mem::take(&mut self.memory.plain);
        let written = match plain.len() {
            0 => Ok(()),
            _ => self.write_block(&plain),
        };
        plain.clear();
        self.memory.plain = plain;
        written
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.begin()?;
        self.flush_plain()?;
        self.output.write_all(&END)
    }
}

impl Write for Encoder<'_> {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.memory.plain.is_empty() && more.len() >= BLOCK_BYTES_MAX {
            self.write_block(&more[..BLOCK_BYTES_MAX])?;
            return Ok(BLOCK_BYTES_MAX);
        }
        let taken = more.len().min(BLOCK_BYTES_MAX - self.memory.plain.len());
        self.memory.plain.extend_from_slice(&more[..taken]);
        if self.memory.plain.len() == BLOCK_BYTES_MAX {
            self.flush_plain()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a frame of any kind.
pub(crate) enum Decoder<'a> {
    Blocks(Blocks<'a>),
    Stream(lz4::Decoder<&'a [u8]>),
}

impl<'a> Decoder<'a> {
    /// `block`: memory for one block, kept from one batch to the next.
    pub fn new(compressed: &'a [u8], block: &'a mut Vec<u8>) -> io::Result<Decoder<'a>> {
        let Some(rest) = compressed.strip_prefix(&HEADER) else {
            return lz4::Decoder::new(compressed).map(Decoder::Stream);
        };
        block.resize(BLOCK_BYTES_MAX, 0);
        Ok(Decoder::Blocks(Blocks {
            rest,
            block,
            at: 0,
            length: 0,
            has_ended: false,
        }))
    }

    /// After the last byte was read: whether the frame had come to its end. Neither kind of decoder
    /// tells a frame that is cut between two blocks from one that has ended, until it is asked.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Decoder::Blocks(mut blocks) => {
                if blocks.at == blocks.length && !blocks.has_ended {
                    blocks.next_block()?;
                }
                match blocks.has_ended {
                    true => Ok(()),
                    false => Err(invalid("an LZ4 frame has no end")),
                }
            }
            Decoder::Stream(decoder) => decoder.finish().1,
        }
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Blocks(blocks) => blocks.read(plain),
            Decoder::Stream(decoder) => decoder.read(plain),
        }
    }
}

pub(crate) struct Blocks<'a> {
    rest: &'a [u8],
    block: &'a mut Vec<u8>,
    /// What of the block was read, and how long it is.
    at: usize,
    length: usize,
    has_ended: bool,
}

impl<'a> Blocks<'a> {
    /// The bytes of the next block, as its head describes them; `None` at the end, and where no block
    /// begins.
    fn next_bytes(&mut self) -> io::Result<Option<(u32, &'a [u8])>> {
        let Some((head, rest)) = self.rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let head = u32::from_le_bytes(*head);
        if head == 0 {
            self.has_ended = true;
            return Ok(None);
        }
        let length = (head & !UNCOMPRESSED) as usize;
        if length > BLOCK_BYTES_MAX {
            return Err(invalid(
                "a block of an LZ4 frame is longer than its header allows",
            ));
        }
        let Some((bytes, rest)) = rest.split_at_checked(length) else {
            return Err(invalid("a block of an LZ4 frame is cut off"));
        };
        self.rest = rest;
        Ok(Some((head, bytes)))
    }

    /// Decompresses the next block; false where there is none.
    fn next_block(&mut self) -> io::Result<bool> {
        (self.at, self.length) = (0, 0);
        let Some((head, bytes)) = self.next_bytes()? else {
            return Ok(false);
        };
        self.length = unpack(head, bytes, self.block)?;
        Ok(true)
    }
}

/// Decompresses a block into `plain`, which has room for the longest; returns how long it was.
fn unpack(head: u32, bytes: &[u8], plain: &mut [u8]) -> io::Result<usize> {
    if head & UNCOMPRESSED != 0 {
        plain[..bytes.len()].copy_from_slice(bytes);
        return Ok(bytes.len());
    }
    decompress_to_buffer(bytes, Some(BLOCK_BYTES_MAX as i32), plain)
}

impl Read for Blocks<'_> {
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        while self.at == self.length {
            if plain.len() >= BLOCK_BYTES_MAX {
                // Without a copy.
                match self.next_bytes()? {
                    None => return Ok(0),
                    Some((head, bytes)) => match unpack(head, bytes, plain)? {
                        0 => continue,
                        length => return Ok(length),
                    },
                }
            }
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let count = plain.len().min(self.length - self.at);
        plain[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
