//! The container of a cold segment, as docs/cold-segments.md describes it.
//!
//! ```text
//! summary (64) │ chunk │ chunk │ … │ index: 8 bytes per chunk │ summary (64)
//! chunk: prefix (16) │ bytes
//! ```
//!
//! All numbers are little endian. Everything is said twice or can be found without the index, so
//! that one bad place costs one chunk at most.

use precursor_compression::ColdCodec;
use precursor_memory::{crc32c, crc32c_append};
use precursor_model::Offset;

/// Version 1 has zstd's own number before each chunk of that codec.
pub(crate) const VERSION: u16 = 2;
pub(crate) const SUMMARY_BYTES: usize = 64;
pub(crate) const PREFIX_BYTES: usize = 16;
pub(crate) const ENTRY_BYTES: usize = 8;
const MAGIC: [u8; 8] = *b"PRCRCOLD";

/// Bytes of a chunk before compression.
pub(crate) const CHUNK_BYTES: std::ops::RangeInclusive<u32> = 4 << 10..=1 << 20;
/// A segment's positions are 32-bit numbers in its index.
pub(crate) const PLAIN_BYTES_MAX: u64 = u32::MAX as u64;

/// What a container says of itself, at its beginning and again at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The segment's base offset.
    pub base: Offset,
    /// Bytes of the segment as it was.
    pub plain_bytes: u64,
    /// Bytes of each chunk before compression, but for the last.
    pub chunk_bytes: u32,
    /// The dictionary that zstd chunks need; 0: none.
    pub dictionary: u64,
    /// Where the chunk index begins in the file.
    pub index_position: u64,
    /// CRC-32C of the chunk index.
    pub index_crc: u32,
}

/// Why bytes are no summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSummary {
    /// A sound one, of a version that is not known here.
    Version(u16),
    Damaged,
}

impl Summary {
    /// How many chunks there are.
    pub fn chunks(&self) -> u32 {
        self.plain_bytes.div_ceil(u64::from(self.chunk_bytes)) as u32
    }

    /// Bytes of a chunk before compression; the last may be shorter.
    pub fn plain_bytes_of(&self, chunk: u32) -> usize {
        let start = u64::from(chunk) * u64::from(self.chunk_bytes);
        let left = self.plain_bytes.saturating_sub(start);
        left.min(u64::from(self.chunk_bytes)) as usize
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.index_position + u64::from(self.chunks()) * ENTRY_BYTES as u64 + SUMMARY_BYTES as u64
    }

    pub fn encode(&self) -> [u8; SUMMARY_BYTES] {
        let mut out = [0; SUMMARY_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.chunk_bytes.to_le_bytes());
        out[16..24].copy_from_slice(&self.base.to_le_bytes());
        out[24..32].copy_from_slice(&self.plain_bytes.to_le_bytes());
        out[32..40].copy_from_slice(&self.dictionary.to_le_bytes());
        out[40..48].copy_from_slice(&self.index_position.to_le_bytes());
        out[48..52].copy_from_slice(&self.index_crc.to_le_bytes());
        let crc = crc32c(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads [`Self::encode`]'s bytes; every number is bounded.
    pub fn decode(bytes: &[u8; SUMMARY_BYTES]) -> Result<Summary, NoSummary> {
        let crc = u32::from_le_bytes(field(bytes, 60));
        if bytes[..8] != MAGIC || crc32c(&bytes[..60]) != crc {
            return Err(NoSummary::Damaged);
        }
        let version = u16::from_le_bytes(field(bytes, 8));
        if !(1..=VERSION).contains(&version) {
            return Err(NoSummary::Version(version));
        }
        let summary = Summary {
            base: Offset::from_le_bytes(field(bytes, 16)),
            plain_bytes: u64::from_le_bytes(field(bytes, 24)),
            chunk_bytes: u32::from_le_bytes(field(bytes, 12)),
            dictionary: u64::from_le_bytes(field(bytes, 32)),
            index_position: u64::from_le_bytes(field(bytes, 40)),
            index_crc: u32::from_le_bytes(field(bytes, 48)),
        };
        match summary.is_possible() {
            true => Ok(summary),
            false => Err(NoSummary::Damaged),
        }
    }

    fn is_possible(&self) -> bool {
        if self.base < 0
            || !CHUNK_BYTES.contains(&self.chunk_bytes)
            || self.plain_bytes > PLAIN_BYTES_MAX
        {
            return false;
        }
        // No chunk is longer than it was: then it is stored as it is.
        let prefixes = u64::from(self.chunks()) * PREFIX_BYTES as u64;
        let least = SUMMARY_BYTES as u64 + prefixes;
        (least..=least + self.plain_bytes).contains(&self.index_position)
    }
}

/// What stands before a chunk's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub chunk: u32,
    pub codec: ColdCodec,
    /// Of the chunk as it is stored.
    pub length: u32,
    /// CRC-32C of the prefix up to here and of the chunk's bytes.
    pub crc: u32,
}

impl Prefix {
    pub fn of(chunk: u32, codec: ColdCodec, bytes: &[u8]) -> Prefix {
        let mut prefix = Prefix {
            chunk,
            codec,
            length: bytes.len() as u32,
            crc: 0,
        };
        prefix.crc = prefix.crc_with(bytes);
        prefix
    }

    pub fn encode(&self) -> [u8; PREFIX_BYTES] {
        let mut out = [0; PREFIX_BYTES];
        out[..4].copy_from_slice(&self.chunk.to_le_bytes());
        out[4] = tag(self.codec);
        out[8..12].copy_from_slice(&self.length.to_le_bytes());
        out[12..].copy_from_slice(&self.crc.to_le_bytes());
        out
    }

    /// Reads the prefix of a chunk; `None` when it cannot be that chunk's.
    pub fn decode(bytes: &[u8; PREFIX_BYTES], chunk: u32, plain_bytes: usize) -> Option<Prefix> {
        let prefix = Prefix {
            chunk: u32::from_le_bytes(field(bytes, 0)),
            codec: codec_of(bytes[4])?,
            length: u32::from_le_bytes(field(bytes, 8)),
            crc: u32::from_le_bytes(field(bytes, 12)),
        };
        let is_stored = prefix.codec == ColdCodec::Stored;
        let fits = match is_stored {
            true => prefix.length as usize == plain_bytes,
            false => (prefix.length as usize) < plain_bytes,
        };
        (prefix.chunk == chunk && bytes[5..8] == [0; 3] && fits).then_some(prefix)
    }

    /// What `crc` should be with these bytes.
    pub fn crc_with(&self, bytes: &[u8]) -> u32 {
        crc32c_append(crc32c(&self.encode()[..12]), bytes)
    }
}

/// Numbers that files hold: they never change.
pub(crate) fn tag(codec: ColdCodec) -> u8 {
    match codec {
        ColdCodec::Stored => 0,
        ColdCodec::Zstd => 1,
        ColdCodec::Brotli => 2,
        ColdCodec::Lzma => 3,
    }
}

fn codec_of(tag: u8) -> Option<ColdCodec> {
    Some(match tag {
        0 => ColdCodec::Stored,
        1 => ColdCodec::Zstd,
        2 => ColdCodec::Brotli,
        3 => ColdCodec::Lzma,
        _ => return None,
    })
}

/// `N` bytes at a place that is known to be there.
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            base: 42,
            plain_bytes: 10_000,
            chunk_bytes: 4096,
            dictionary: 7,
            index_position: 64 + 3 * 16 + 3_000,
            index_crc: 9,
        }
    }

    #[test]
    fn a_summary_comes_back_and_no_changed_one_does() {
        let bytes = summary().encode();
        assert_eq!(Summary::decode(&bytes), Ok(summary()));
        for at in 0..SUMMARY_BYTES {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert_eq!(Summary::decode(&changed), Err(NoSummary::Damaged), "{at}");
        }
        let (chunks, last) = (summary().chunks(), summary().plain_bytes_of(2));
        assert_eq!((chunks, last), (3, 10_000 - 2 * 4096));
    }

    #[test]
    fn impossible_numbers_are_damage_though_the_checksum_holds() {
        let wrong: [fn(&mut Summary); 5] = [
            |s| s.base = -1,
            |s| s.chunk_bytes = 0,
            |s| s.plain_bytes = u64::MAX,
            |s| s.index_position = 64 + 3 * 16 + 10_001,
            |s| s.index_position = 64,
        ];
        for change in wrong {
            let mut changed = summary();
            change(&mut changed);
            let decoded = Summary::decode(&changed.encode());
            assert_eq!(decoded, Err(NoSummary::Damaged), "{changed:?}");
        }
        let mut newer = summary().encode();
        newer[8] = 3;
        let crc = crc32c(&newer[..60]);
        newer[60..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Summary::decode(&newer), Err(NoSummary::Version(3)));
    }

    #[test]
    fn a_prefix_is_of_its_chunk_alone() {
        let prefix = Prefix::of(3, ColdCodec::Zstd, b"bytes");
        let bytes = prefix.encode();
        assert_eq!(Prefix::decode(&bytes, 3, 4096), Some(prefix));
        assert_eq!(prefix.crc_with(b"bytes"), prefix.crc);
        assert_ne!(prefix.crc_with(b"bytez"), prefix.crc);
        assert_eq!(Prefix::decode(&bytes, 4, 4096), None);
        assert_eq!(Prefix::decode(&bytes, 3, 5), None, "it did not shrink");
        let stored = Prefix::of(3, ColdCodec::Stored, b"bytes").encode();
        assert!(Prefix::decode(&stored, 3, 5).is_some());
        assert_eq!(Prefix::decode(&stored, 3, 6), None);
    }
}
