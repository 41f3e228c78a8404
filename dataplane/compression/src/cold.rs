//! Codecs for data at rest, which no client has to read: zstd with a dictionary, Brotli, LZMA.

use crate::{invalid, too_much};
use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
use std::io::{self, Read, Write};

/// Bytes of a dictionary at most, as the library suggests.
pub const DICTIONARY_BYTES_MAX: usize = 112_640;

/// LZMA's own dictionary, of 4 KiB at least: of each level as the library has it, but not beyond 8 MiB, for a
/// chunk is hardly longer. The low levels owe much of their speed to a small one.
const LZMA_DICTIONARY_LOG_LEAST: u32 = 12;
const LZMA_DICTIONARY_LOGS: [u32; 10] = [18, 20, 21, 22, 22, 23, 23, 23, 23, 23];
/// What an LZMA decoder may take for that.
const LZMA_MEMORY_MAX: u64 = 16 << 20;
/// zstd's window: a chunk is hardly longer.
const WINDOW_LOG_MAX: u32 = 23;
/// What a zstd frame begins with. Chunks go without: a small record is longer by a tenth with it.
/// What follows it in a frame is never these bytes, so either form is known by its first ones.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Brotli's windows: of 1 KiB, the least that there is, to 4 MiB, the largest that every decoder has
/// memory for.
const BROTLI_WINDOW_LOGS: (i32, i32) = (10, 22);
const BROTLI_WINDOW_LOG_LEAST_OF_5_TO_8: i32 = 17;

/// A codec of data at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColdCodec {
    /// As it is.
    Stored,
    /// With a dictionary or without.
    Zstd,
    Brotli,
    Lzma,
}

/// Compresses chunk after chunk by one codec, level and dictionary.
pub struct ColdCompressor {
    codec: ColdCodec,
    level: i32,
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl ColdCompressor {
    /// `level`: zstd as Kafka has it, Brotli 0 to 11, LZMA 0 to 9. The dictionary counts for zstd
    /// alone.
    ///
    /// # Errors
    /// The codec's library refuses the level or the dictionary.
    pub fn new(codec: ColdCodec, level: i32, dictionary: Option<&[u8]>) -> io::Result<Self> {
        let zstd = match codec {
            ColdCodec::Zstd => {
                let dictionary = dictionary.unwrap_or_default();
                let mut zstd = zstd::bulk::Compressor::with_dictionary(level, dictionary)?;
                // Whoever keeps the chunk knows which one it was.
                zstd.include_dictid(false)?;
                Some(zstd)
            }
            ColdCodec::Stored | ColdCodec::Brotli | ColdCodec::Lzma => None,
        };
        Ok(ColdCompressor { codec, level, zstd })
    }

    /// Compresses one chunk.
    ///
    /// # Errors
    /// What the codec's library reports.
    pub fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match (self.codec, &mut self.zstd) {
            (ColdCodec::Zstd, Some(zstd)) => {
                let mut frame = zstd.compress(plain)?;
                if frame.starts_with(&ZSTD_MAGIC) {
                    frame.drain(..ZSTD_MAGIC.len());
                }
                Ok(frame)
            }
            (ColdCodec::Brotli, _) => compress_brotli(plain, self.level),
            (ColdCodec::Lzma, _) => compress_lzma(plain, self.level),
            _ => Ok(plain.to_vec()),
        }
    }
}

/// A window that holds the chunk whole, and no larger: the library zeroes twice as much for each.
fn brotli_window_log(length: usize, quality: i32) -> i32 {
    let (mut least, most) = BROTLI_WINDOW_LOGS;
    // For smaller windows it has not the tables that it asks for, and takes others of 32 MiB.
    if (5..=8).contains(&quality) {
        least = BROTLI_WINDOW_LOG_LEAST_OF_5_TO_8;
    }
    // A window is 16 bytes less than its power of two (RFC 7932, 9.1).
    let log = (length.min(1 << most) + 16).next_power_of_two().ilog2() as i32;
    log.clamp(least, most)
}

fn compress_brotli(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let quality = level.clamp(0, 11);
    let mut parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: brotli_window_log(plain.len(), quality),
        size_hint: plain.len(),
        ..Default::default()
    };
    parameters.large_window = false;
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut { plain }, &mut out, &parameters)?;
    Ok(out)
}

/// A dictionary that holds the chunk whole, where the level has one so large.
fn lzma_dictionary_log(length: usize, level: i32) -> u32 {
    let most = LZMA_DICTIONARY_LOGS[level as usize];
    let log = length.min(1 << most).next_power_of_two().ilog2();
    log.max(LZMA_DICTIONARY_LOG_LEAST)
}

fn compress_lzma(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let level = level.clamp(0, 9);
    let mut options = LzmaOptions::new_preset(level as u32)?;
    options.dict_size(1 << lzma_dictionary_log(plain.len(), level));
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = Stream::new_stream_encoder(&filters, Check::None)?;
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(plain)?;
    encoder.finish()
}

/// Decompresses chunk after chunk; keeps what its codec can use again, its dictionary prepared.
pub struct ColdDecompressor {
    zstd: zstd::bulk::Decompressor<'static>,
    /// A chunk as the frame that it was.
    frame: Vec<u8>,
}

impl ColdDecompressor {
    /// The dictionary counts for zstd alone.
    ///
    /// # Errors
    /// zstd refuses the dictionary.
    pub fn new(dictionary: Option<&[u8]>) -> io::Result<Self> {
        let mut zstd = zstd::bulk::Decompressor::with_dictionary(dictionary.unwrap_or_default())?;
        zstd.window_log_max(WINDOW_LOG_MAX)?;
        let frame = Vec::new();
        Ok(ColdDecompressor { zstd, frame })
    }

    /// Decompresses what [`ColdCompressor`] made of one chunk, which was `length` bytes long: the
    /// caller bounds it.
    ///
    /// # Errors
    /// The bytes are not of this codec and dictionary, or of another length.
    pub fn decompress(
        &mut self,
        codec: ColdCodec,
        compressed: &[u8],
        length: usize,
    ) -> io::Result<Vec<u8>> {
        if length > crate::DECOMPRESSED_BYTES_MAX {
            return Err(too_much(crate::DECOMPRESSED_BYTES_MAX));
        }
        let plain = match codec {
            ColdCodec::Stored => compressed.to_vec(),
            ColdCodec::Zstd if compressed.starts_with(&ZSTD_MAGIC) => {
                self.zstd.decompress(compressed, length)?
            }
            ColdCodec::Zstd => {
                self.frame.clear();
                self.frame.extend_from_slice(&ZSTD_MAGIC);
                self.frame.extend_from_slice(compressed);
                self.zstd.decompress(&self.frame, length)?
            }
            ColdCodec::Brotli => {
                let mut brotli = brotli::Decompressor::new(compressed, 4096);
                read_exactly(&mut brotli, length)?
            }
            ColdCodec::Lzma => {
                let stream = Stream::new_stream_decoder(LZMA_MEMORY_MAX, 0)?;
                let mut lzma = liblzma::read::XzDecoder::new_stream(compressed, stream);
                read_exactly(&mut lzma, length)?
            }
        };
        match plain.len() == length {
            true => Ok(plain),
            false => Err(invalid("a chunk has another length than is said of it")),
        }
    }
}

/// Memory grows with what comes, not with what is claimed.
fn read_exactly(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    let most = (length as u64).saturating_add(1);
    reader.take(most).read_to_end(&mut plain)?;
    match plain.len() > length {
        true => Err(too_much(length)),
        false => Ok(plain),
    }
}

/// Makes a dictionary of samples, such as single records; at most [`DICTIONARY_BYTES_MAX`].
///
/// # Errors
/// There are too few samples, or they have nothing in common.
pub fn train_dictionary<S: AsRef<[u8]>>(samples: &[S]) -> io::Result<Vec<u8>> {
    train_dictionary_within(samples, DICTIONARY_BYTES_MAX)
}

/// As [`train_dictionary`], of at most `bytes_max`.
///
/// # Errors
/// There are too few samples, or they have nothing in common.
pub fn train_dictionary_within<S: AsRef<[u8]>>(
    samples: &[S],
    bytes_max: usize,
) -> io::Result<Vec<u8>> {
    zstd::dict::from_samples(samples, bytes_max.min(DICTIONARY_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::{brotli_window_log, compress_lzma};

    /// What a block's header says of LZMA2's dictionary (.xz format, 3.1 and 5.3.1): behind the stream's
    /// header of 12 bytes its own length, flags, the filter's number and the length of its properties.
    fn lzma_dictionary(chunk: &[u8]) -> u64 {
        assert_eq!(chunk[14..16], [0x21, 1]);
        let bits = u32::from(chunk[16]);
        u64::from(2 | bits & 1) << (bits / 2 + 11)
    }

    #[test]
    fn lzma_has_a_dictionary_that_holds_the_chunk_but_none_larger_than_its_levels() {
        let dictionary = |length, level| {
            let chunk = compress_lzma(&vec![7; length], level).unwrap();
            lzma_dictionary(&chunk) >> 10
        };
        let lengths = [1, 4096, 4097, 300 << 10, 1 << 20, (8 << 20) + 1];
        assert_eq!(lengths.map(|l| dictionary(l, 0)), [4, 4, 8, 256, 256, 256]);
        assert_eq!(
            lengths.map(|l| dictionary(l, 1)),
            [4, 4, 8, 512, 1024, 1024]
        );
        assert_eq!(
            lengths.map(|l| dictionary(l, 6)),
            [4, 4, 8, 512, 1024, 8192]
        );
        let large = [2, 3, 9].map(|level| dictionary((8 << 20) + 1, level));
        assert_eq!(large, [2048, 4096, 8192]);
    }

    #[test]
    fn brotli_has_a_window_that_holds_the_chunk_and_no_larger() {
        let logs = [
            0,
            1008,
            1009,
            65_520,
            65_536,
            (4 << 20) - 16,
            4 << 20,
            usize::MAX >> 1,
        ];
        let found = logs.map(|length| brotli_window_log(length, 9));
        assert_eq!(found, [10, 10, 11, 16, 17, 22, 22, 22]);
        let found = logs.map(|length| brotli_window_log(length, 5));
        assert_eq!(found, [17, 17, 17, 17, 17, 22, 22, 22]);
    }
}
