//! How fast and how well the codecs of cold segments do on a file: what benches/beside_tools.py compares with
//! the libraries' own tools.
//!
//! `cold FILE CHUNK_BYTES SECONDS CODEC LEVEL [DICTIONARY]` compresses the file chunk by chunk again
//! and again, and decompresses it; prints bytes before, bytes after, and MB/s of either, the best of
//! all rounds, as JSON. `cold train FILE DICTIONARY` writes a dictionary of every other line at most. CODEC
//! is zstd, brotli, lzma, or gzip, snappy, lz4, which are a batch's and have its frames. `bare-gzip`,
//! `bare-snappy` and `bare-lz4` (LEVEL of the high compressor) are these libraries by themselves: one call for each
//! chunk, and no frame.

use precursor_compression::{
    ColdCodec, ColdCompressor, ColdDecompressor, Contexts, Decoder, Encoder, Recipe,
    train_dictionary,
};
use precursor_protocol::records::Codec;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Bytes of lines that a dictionary is made of.
const SAMPLE_BYTES_MAX: usize = 8 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["train", file, dictionary] => {
            let bytes = std::fs::read(file)?;
            // Evenly taken, as of a segment: what is alike lies close together.
            let stride = 2 * (bytes.len() / 2).div_ceil(SAMPLE_BYTES_MAX).max(1);
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            let samples: Vec<&[u8]> = lines.step_by(stride).collect();
            std::fs::write(dictionary, train_dictionary(&samples)?)?;
        }
        [
            file,
            chunk_bytes,
            seconds,
            codec,
            level,
            ref dictionary @ ..,
        ] => {
            let bytes = std::fs::read(file)?;
            let chunks = chunks(&bytes, chunk_bytes)?;
            let dictionary = dictionary.first().map(std::fs::read).transpose()?;
            let seconds = Duration::from_secs_f64(seconds.parse()?);
            let mut tried = Tried::new(codec, level.parse()?, dictionary.as_deref())?;
            tried.run(&chunks, seconds)?;
        }
        _ => return Err("what is to be done? See the first lines of this program".into()),
    }
    Ok(())
}

/// Chunks of so many bytes, or lines one by one.
fn chunks<'a>(bytes: &'a [u8], size: &str) -> Result<Vec<&'a [u8]>, std::num::ParseIntError> {
    if size == "lines" {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').skip(1);
        return Ok(lines.step_by(2).collect());
    }
    Ok(bytes.chunks(size.parse::<usize>()?.max(1)).collect())
}

/// A codec with what it keeps from one chunk to the next.
enum Tried {
    Cold(ColdCodec, Box<ColdCompressor>, Box<ColdDecompressor>),
    Batch(Recipe, Box<Contexts>),
    Bare(Box<Bare>),
}

/// What a library's own benchmarks do.
enum Bare {
    Gzip(Box<flate2::Compress>, Box<flate2::Decompress>),
    Snappy(Box<snap::raw::Encoder>, snap::raw::Decoder),
    Lz4(i32),
}

impl Bare {
    fn gzip(level: i32) -> Bare {
        let level = flate2::Compression::new(level as u32);
        Bare::Gzip(
            flate2::Compress::new(level, false).into(),
            flate2::Decompress::new(false).into(),
        )
    }

    fn compress(&mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Bare::Gzip(gzip, _) => {
                let mut out = Vec::with_capacity(chunk.len() + chunk.len() / 8 + 64);
                gzip.reset();
                let end = flate2::FlushCompress::Finish;
                match gzip.compress_vec(chunk, &mut out, end)? {
                    flate2::Status::StreamEnd => Ok(out),
                    status => Err(io::Error::other(format!("{status:?}"))),
                }
            }
            Bare::Snappy(snappy, _) => Ok(snappy.compress_vec(chunk)?),
            Bare::Lz4(level) => {
                let mode = lz4::block::CompressionMode::HIGHCOMPRESSION(*level);
                lz4::block::compress(chunk, Some(mode), false)
            }
        }
    }

    fn decompress(&mut self, compressed: &[u8], plain: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Bare::Gzip(_, gzip) => {
                gzip.reset(false);
                let end = flate2::FlushDecompress::Finish;
                gzip.decompress_vec(compressed, plain, end)?;
            }
            Bare::Snappy(_, snappy) => {
                plain.resize(snap::raw::decompress_len(compressed)?, 0);
                snappy.decompress(compressed, plain)?;
            }
            Bare::Lz4(_) => {
                let length = i32::try_from(plain.capacity()).map_err(io::Error::other)?;
                *plain = lz4::block::decompress(compressed, Some(length))?;
            }
        }
        Ok(())
    }
}

impl Tried {
    fn new(codec: &str, level: i32, dictionary: Option<&[u8]>) -> io::Result<Tried> {
        let codec = match codec {
            "zstd" => ColdCodec::Zstd,
            "brotli" => ColdCodec::Brotli,
            "lzma" => ColdCodec::Lzma,
            "bare-gzip" => return Ok(Tried::Bare(Bare::gzip(level).into())),
            "bare-lz4" => return Ok(Tried::Bare(Bare::Lz4(level).into())),
            "bare-snappy" => {
                let encoder = Box::new(snap::raw::Encoder::new());
                let snappy = Bare::Snappy(encoder, snap::raw::Decoder::new());
                return Ok(Tried::Bare(snappy.into()));
            }
            batch => {
                let codec = match batch {
                    "gzip" => Codec::Gzip,
                    "snappy" => Codec::Snappy,
                    "lz4" => Codec::Lz4,
                    _ => return Err(io::Error::other("the codec is unknown")),
                };
                return Ok(Tried::Batch(Recipe { codec, level }, Box::default()));
            }
        };
        let compressor = ColdCompressor::new(codec, level, dictionary)?;
        let decompressor = ColdDecompressor::new(dictionary)?;
        Ok(Tried::Cold(codec, compressor.into(), decompressor.into()))
    }

    fn compress(&mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Tried::Cold(_, compressor, _) => compressor.compress(chunk),
            Tried::Batch(recipe, contexts) => {
                let (mut out, plain_bytes) = (Vec::new(), Some(chunk.len() as u64));
                let mut encoder =
                    Encoder::new(*recipe, plain_bytes, &mut out, usize::MAX, contexts)?;
                encoder.write_all(chunk)?;
                encoder.finish()?;
                Ok(out)
            }
            Tried::Bare(bare) => bare.compress(chunk),
        }
    }

    fn decompress(&mut self, compressed: &[u8], length: usize) -> io::Result<Vec<u8>> {
        match self {
            Tried::Cold(codec, _, decompressor) => {
                decompressor.decompress(*codec, compressed, length)
            }
            Tried::Batch(recipe, contexts) => {
                let mut plain = vec![0; length];
                let mut decoder = Decoder::new(recipe.codec, compressed, length, contexts)?;
                decoder.read_exact(&mut plain)?;
                decoder.finish()?;
                Ok(plain)
            }
            Tried::Bare(bare) => {
                let mut plain = Vec::with_capacity(length);
                bare.decompress(compressed, &mut plain)?;
                Ok(plain)
            }
        }
    }

    fn run(&mut self, chunks: &[&[u8]], seconds: Duration) -> io::Result<()> {
        let before: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let mut best = [Duration::MAX; 2];
        let begun = Instant::now();
        let mut after: usize;
        loop {
            let clock = Instant::now();
            let compressed: Vec<Vec<u8>> = chunks
                .iter()
                .map(|chunk| self.compress(chunk))
                .collect::<io::Result<_>>()?;
            best[0] = best[0].min(clock.elapsed());
            let mut taken = Duration::ZERO;
            for (chunk, compressed) in chunks.iter().zip(&compressed) {
                let clock = Instant::now();
                let plain = self.decompress(compressed, chunk.len())?;
                taken += clock.elapsed();
                assert!(plain == *chunk, "other bytes came back");
            }
            best[1] = best[1].min(taken);
            let stored = chunks.iter().zip(&compressed);
            after = stored.map(|(chunk, c)| c.len().min(chunk.len())).sum();
            if begun.elapsed() >= seconds {
                break;
            }
        }
        let rate = |time: Duration| before as f64 / 1e6 / time.as_secs_f64();
        println!(
            "{{\"before\":{before},\"after\":{after},\"compress\":{:.1},\"decompress\":{:.1}}}",
            rate(best[0]),
            rate(best[1])
        );
        Ok(())
    }
}
