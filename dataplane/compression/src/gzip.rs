//! gzip (RFC 1952): members one after another. What a member's state takes is kept from one batch to
//! the next.

use crate::invalid;
use crate::output::Output;
use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};
use std::io::{self, Read, Write};

/// Identification and method (RFC 1952, 2.3.1): deflate is the only one there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// From the first byte to where what is optional begins.
const HEADER_BYTES: usize = 10;
/// The checksum and the length of what was compressed.
const TRAILER_BYTES: usize = 8;
/// Compressed bytes that are handed on at a time.
const PIECE_BYTES: usize = 32 << 10;

mod flag {
    pub(super) const HEADER_CRC: u8 = 1 << 1;
    pub(super) const EXTRA: u8 = 1 << 2;
    pub(super) const NAME: u8 = 1 << 3;
    pub(super) const COMMENT: u8 = 1 << 4;
    pub(super) const RESERVED: u8 = 0b1110_0000;
}

/// Memory of a compression, kept from one batch to the next of the same level. Only one that came to
/// its end is: the library does not forget all of another when it is reset.
pub(crate) struct Compressor {
    level: Compression,
    deflate: Compress,
    piece: Box<[u8]>,
}

impl Compressor {
    fn new(level: Compression) -> Compressor {
        Compressor {
            level,
            deflate: Compress::new(level, false),
            piece: vec![0; PIECE_BYTES].into(),
        }
    }
}

/// Writes one member.
pub(crate) struct Encoder<'a> {
    output: Output<'a>,
    compressor: Compressor,
    /// Where the compressor goes in the end.
    kept: &'a mut Option<Compressor>,
    crc: Crc,
    has_begun: bool,
}

impl<'a> Encoder<'a> {
    /// `level`: 1 to 9; anything else is the library's own.
    pub fn new(level: i32, output: Output<'a>, kept: &'a mut Option<Compressor>) -> Encoder<'a> {
        let level = match u32::try_from(level) {
            Ok(level @ 1..=9) => Compression::new(level),
            _ => Compression::default(),
        };
        let same = kept.take().filter(|kept| kept.level == level);
        Encoder {
            output,
            compressor: same.unwrap_or_else(|| Compressor::new(level)),
            kept,
            crc: Crc::new(),
            has_begun: false,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let [a, b, method] = MAGIC;
        // How hard it was tried, for whoever wants to know.
        let effort = match self.compressor.level.level() {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        // No flags, no time, no system that is known.
        let header = [a, b, method, 0, 0, 0, 0, 0, effort, 0xff];
        self.output.write_all(&header)
    }

    /// Compresses some of `plain`: how much, and whether that was the end.
    fn step(&mut self, plain: &[u8], flush: FlushCompress) -> io::Result<(usize, bool)> {
        let Compressor { deflate, piece, .. } = &mut self.compressor;
        let (read, written) = (deflate.total_in(), deflate.total_out());
        let status = deflate.compress(plain, piece, flush)?;
        let read = (deflate.total_in() - read) as usize;
        let written = (deflate.total_out() - written) as usize;
        self.output.write_all(&piece[..written])?;
        Ok((read, status == Status::StreamEnd))
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.begin()?;
        while !self.step(&[], FlushCompress::Finish)?.1 {}
        self.output.write_all(&self.crc.sum().to_le_bytes())?;
        self.output.write_all(&self.crc.amount().to_le_bytes())?;
        self.compressor.deflate.reset();
        *self.kept = Some(self.compressor);
        Ok(())
    }
}

impl Write for Encoder<'_> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.begin()?;
        let mut rest = plain;
        while !rest.is_empty() {
            let (read, _) = self.step(rest, FlushCompress::None)?;
            rest = &rest[read..];
        }
        self.crc.update(plain);
        Ok(plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads members until there are no more.
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    inflate: Decompress,
    /// Where `inflate` goes at the end of all members, for the next batch.
    kept: &'a mut Option<Decompress>,
    crc: Crc,
    /// Whether the next byte is within a member's data.
    is_within: bool,
    has_begun: bool,
}

impl<'a> Decoder<'a> {
    /// `kept`: memory of a decompression, kept from one batch to the next where all was well.
    pub fn new(compressed: &'a [u8], kept: &'a mut Option<Decompress>) -> Decoder<'a> {
        Decoder {
            rest: compressed,
            inflate: kept.take().unwrap_or_else(|| Decompress::new(false)),
            kept,
            crc: Crc::new(),
            is_within: false,
            has_begun: false,
        }
    }

    /// Goes to the data of the next member; false where there is none. There is always a first.
    fn next_member(&mut self) -> io::Result<bool> {
        if self.rest.is_empty() && self.has_begun {
            return Ok(false);
        }
        self.rest = after_header(self.rest)?;
        self.inflate.reset(false);
        self.crc.reset();
        (self.is_within, self.has_begun) = (true, true);
        Ok(true)
    }

    fn end_member(&mut self) -> io::Result<()> {
        let Some((trailer, rest)) = self.rest.split_first_chunk::<TRAILER_BYTES>() else {
            return Err(cut_off());
        };
        let mut expected = [0; TRAILER_BYTES];
        expected[..4].copy_from_slice(&self.crc.sum().to_le_bytes());
        expected[4..].copy_from_slice(&self.crc.amount().to_le_bytes());
        if *trailer != expected {
            return Err(invalid("a gzip member is not what its checksum says"));
        }
        (self.rest, self.is_within) = (rest, false);
        Ok(())
    }

    /// After the last byte was read: whether the member's end was where it is to be.
    pub fn finish(mut self) -> io::Result<()> {
        if self.read(&mut [0])? > 0 {
            return Err(invalid("a gzip member goes on"));
        }
        *self.kept = Some(self.inflate);
        Ok(())
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        if plain.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_within && !self.next_member()? {
                return Ok(0);
            }
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            // All that there is lies before it: it need not keep a window for what comes later, where
            // it comes to the end.
            let finish = FlushDecompress::Finish;
            let status = self.inflate.decompress(self.rest, plain, finish)?;
            let read = (self.inflate.total_in() - read) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            self.rest = &self.rest[read..];
            self.crc.update(&plain[..written]);
            match status {
                Status::StreamEnd => self.end_member()?,
                _ if read == 0 && written == 0 => return Err(cut_off()),
                _ => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a gzip member is cut off")
}

/// What follows a member's header (RFC 1952, 2.3).
fn after_header(member: &[u8]) -> io::Result<&[u8]> {
    let Some((fixed, mut rest)) = member.split_first_chunk::<HEADER_BYTES>() else {
        return Err(cut_off());
    };
    let flags = fixed[3];
    if !fixed.starts_with(&MAGIC) || flags & flag::RESERVED != 0 {
        return Err(invalid("what should be a gzip member is none"));
    }
    if flags & flag::EXTRA != 0 {
        let (length, more) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let length = usize::from(u16::from_le_bytes(*length));
        rest = more.get(length..).ok_or_else(cut_off)?;
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0);
            rest = &rest[end.ok_or_else(cut_off)? + 1..];
        }
    }
    if flags & flag::HEADER_CRC != 0 {
        let mut crc = Crc::new();
        crc.update(&member[..member.len() - rest.len()]);
        let (stored, more) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        if u16::from_le_bytes(*stored) != crc.sum() as u16 {
            return Err(invalid("a gzip header is not what its checksum says"));
        }
        rest = more;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(plain: &[u8], level: i32, kept: &mut Option<Compressor>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let output = Output {
            bytes: &mut bytes,
            length_max: usize::MAX,
        };
        let mut encoder = Encoder::new(level, output, kept);
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap();
        bytes
    }

    fn unpacked(compressed: &[u8]) -> io::Result<Vec<u8>> {
        let (mut plain, mut kept) = (Vec::new(), None);
        let mut decoder = Decoder::new(compressed, &mut kept);
        decoder.read_to_end(&mut plain)?;
        decoder.finish().map(|()| plain)
    }

    fn text() -> Vec<u8> {
        let words = (0..9_000_u32).map(|n| format!("{:x} ", n.wrapping_mul(2_654_435_761) >> 19));
        words.collect::<String>().into_bytes()
    }

    #[test]
    fn members_are_those_of_another_implementation_whatever_the_memory_served_before() {
        let (text, mut kept) = (text(), None);
        for level in [1, 9, -1, 6, 1] {
            let theirs = match level {
                1..=9 => Compression::new(level as u32),
                _ => Compression::default(),
            };
            let mut theirs = flate2::write::GzEncoder::new(Vec::new(), theirs);
            theirs.write_all(&text).unwrap();
            let theirs = theirs.finish().unwrap();
            // Of memory that is new, and of what it was before.
            for _ in 0..3 {
                assert!(packed(&text, level, &mut kept) == theirs, "level {level}");
            }
        }
        assert_eq!(
            packed(&[], 6, &mut kept).len(),
            HEADER_BYTES + 2 + TRAILER_BYTES
        );
    }

    /// A member with everything in its header that there can be.
    fn adorned(plain: &[u8]) -> (Vec<u8>, usize) {
        let usual = packed(plain, 6, &mut None);
        let mut member = usual[..HEADER_BYTES].to_vec();
        member[3] = flag::EXTRA | flag::NAME | flag::COMMENT | flag::HEADER_CRC | 1;
        member.extend_from_slice(b"\x05\0extra");
        member.extend_from_slice(b"name\0of what it was\0");
        let mut crc = Crc::new();
        crc.update(&member);
        member.extend_from_slice(&(crc.sum() as u16).to_le_bytes());
        let header_bytes = member.len();
        member.extend_from_slice(&usual[HEADER_BYTES..]);
        (member, header_bytes)
    }

    #[test]
    fn headers_are_passed_over_whatever_is_in_them() {
        let (member, header_bytes) = adorned(b"to be or not to be");
        assert_eq!(unpacked(&member).unwrap(), b"to be or not to be");
        let two = [&member[..], &packed(&text(), 1, &mut None), &member].concat();
        let expected = [&b"to be or not to be"[..], &text(), b"to be or not to be"].concat();
        assert_eq!(unpacked(&two).unwrap(), expected);
        // What the header's checksum covers.
        for at in 0..header_bytes {
            let mut damaged = member.clone();
            damaged[at] ^= 0x80;
            assert!(unpacked(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_member_that_is_cut_off_or_damaged_is_refused() {
        let (member, header_bytes) = adorned(b"to be or not to be, to be or not to be");
        for length in 0..member.len() {
            let error = unpacked(&member[..length]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
        for at in header_bytes..member.len() {
            let mut damaged = member.clone();
            damaged[at] ^= 1;
            assert!(unpacked(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn whoever_stops_early_learns_that_it_goes_on() {
        let text = text();
        let (member, mut kept) = (packed(&text, 6, &mut None), None);
        for (length, is_all) in [(0, false), (text.len() - 1, false), (text.len(), true)] {
            let mut decoder = Decoder::new(&member, &mut kept);
            let mut plain = vec![0; length];
            decoder.read_exact(&mut plain).unwrap();
            assert!(plain == text[..length]);
            assert_eq!(decoder.finish().is_ok(), is_all, "{length}");
        }
        // Read to its length, it is not known yet to be what its checksum says.
        let mut damaged = member;
        *damaged.last_mut().unwrap() ^= 1;
        let mut decoder = Decoder::new(&damaged, &mut kept);
        let read = decoder.read_exact(&mut vec![0; text.len()]);
        assert!(read.and_then(|()| decoder.finish()).is_err());
    }
}
