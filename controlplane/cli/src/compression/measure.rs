//! The measurement: each codec on the same batches, one after the other, on one processor.

use super::candidates::{Candidate, How};
use super::sample::Sample;
use crate::failure::Failure;
use precursor_compression::{
    ColdCompressor, ColdDecompressor, Contexts, Decoder, Encoder, Recipe, train_dictionary,
};
use precursor_model::LogConfig;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// What is quick is done again until it took so long: short times are not told well by the clock.
const LEAST: Duration = Duration::from_millis(60);

/// What a codec made of the sample.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Bytes before compression for each byte after it.
    pub ratio: f64,
    /// Of records, before compression.
    pub compress_mb_per_second: f64,
    pub decompress_mb_per_second: f64,
}

/// What is measured: batches, and the same bytes in chunks as cold segments have them; and a
/// dictionary that was trained on other batches.
pub struct Bench<'a> {
    batches: Vec<&'a [u8]>,
    chunks: Vec<Vec<u8>>,
    dictionary: Option<Vec<u8>>,
    budget: Duration,
}

impl<'a> Bench<'a> {
    /// Every other batch is measured, the rest are for the dictionary; a single one is measured.
    pub fn new(sample: &'a Sample, budget: Duration) -> Bench<'a> {
        let measured = (0..sample.batches.len()).filter(|at| at % 2 == 0);
        let trained = (0..sample.batches.len()).filter(|at| at % 2 == 1);
        let records: Vec<&[u8]> = trained.flat_map(|at| sample.records_of(at)).collect();
        let batches: Vec<&[u8]> = measured.map(|at| &sample.batches[at][..]).collect();
        let chunk_bytes = LogConfig::default().cold_compression_chunk_bytes as usize;
        let chunks = batches.concat();
        Bench {
            batches,
            chunks: chunks.chunks(chunk_bytes).map(<[u8]>::to_vec).collect(),
            // Too few records, or all too short: then there is none.
            dictionary: train_dictionary(&records).ok(),
            budget,
        }
    }

    /// Measures; `None` where there is no dictionary to measure with.
    ///
    /// # Errors
    /// The codec fails, or does not give back what it was given.
    pub fn measure(&self, candidate: &Candidate) -> Result<Option<Measured>, Failure> {
        let failed = |error: io::Error| {
            let codec = candidate.codec;
            Failure::new(format!("{codec} failed on the topic's records: {error}"))
                .next("This is a mistake of precursor's own: please tell its makers")
        };
        match candidate.how {
            How::Batch(recipe) => {
                let mut codec = BatchCodec {
                    recipe,
                    encoding: Contexts::default(),
                    decoding: Contexts::default(),
                };
                let measured = self.run(&mut codec, &self.batches);
                measured.map(Some).map_err(failed)
            }
            How::Cold {
                codec,
                level,
                dictionary,
            } => {
                let wanted = dictionary.then_some(self.dictionary.as_deref());
                let dictionary = match wanted {
                    Some(None) => return Ok(None),
                    Some(found) => found,
                    None => None,
                };
                let compressor = ColdCompressor::new(codec, level, dictionary);
                let mut cold = Cold {
                    compressor: compressor.map_err(failed)?,
                    decompressor: ColdDecompressor::new(dictionary).map_err(failed)?,
                    codec,
                };
                let measured = self.run(&mut cold, &self.chunks);
                measured.map(Some).map_err(failed)
            }
        }
    }

    fn run<P: AsRef<[u8]>>(
        &self,
        codec: &mut impl Measurable,
        pieces: &[P],
    ) -> io::Result<Measured> {
        let (mut plain_bytes, mut compressed_bytes) = (0, 0);
        let (mut compressing, mut decompressing) = (Duration::ZERO, Duration::ZERO);
        // The first piece pays for memory that the others find there.
        codec.compress(pieces[0].as_ref())?;
        'rounds: loop {
            for piece in pieces.iter().map(AsRef::as_ref) {
                let began = Instant::now();
                let compressed = codec.compress(piece)?;
                let compressed_at = Instant::now();
                let plain = codec.decompress(&compressed, piece.len())?;
                decompressing += compressed_at.elapsed();
                compressing += compressed_at - began;
                if plain != piece {
                    return Err(io::Error::other("it gave back other bytes"));
                }
                plain_bytes += piece.len();
                compressed_bytes += compressed.len();
                if compressing + decompressing >= self.budget {
                    break 'rounds;
                }
            }
            if compressing >= LEAST && decompressing >= LEAST / 4 {
                break;
            }
        }
        let speed = |time: Duration| plain_bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9);
        Ok(Measured {
            ratio: plain_bytes as f64 / compressed_bytes.max(1) as f64,
            compress_mb_per_second: speed(compressing),
            decompress_mb_per_second: speed(decompressing),
        })
    }
}

trait Measurable {
    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>>;
    fn decompress(&mut self, compressed: &[u8], length: usize) -> io::Result<Vec<u8>>;
}

/// As the broker's workers do it.
struct BatchCodec {
    recipe: Recipe,
    encoding: Contexts,
    decoding: Contexts,
}

impl Measurable for BatchCodec {
    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(plain.len() / 2);
        let bytes = Some(plain.len() as u64);
        let contexts = &mut self.encoding;
        let mut encoder = Encoder::new(self.recipe, bytes, &mut out, usize::MAX, contexts)?;
        encoder.write_all(plain)?;
        encoder.finish()?;
        Ok(out)
    }

    fn decompress(&mut self, compressed: &[u8], length: usize) -> io::Result<Vec<u8>> {
        let mut plain = Vec::with_capacity(length);
        let codec = self.recipe.codec;
        let mut decoder = Decoder::new(codec, compressed, usize::MAX, &mut self.decoding)?;
        decoder.read_to_end(&mut plain)?;
        decoder.finish()?;
        Ok(plain)
    }
}

/// As cold segments have it.
struct Cold {
    compressor: ColdCompressor,
    decompressor: ColdDecompressor,
    codec: precursor_compression::ColdCodec,
}

impl Measurable for Cold {
    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        self.compressor.compress(plain)
    }

    fn decompress(&mut self, compressed: &[u8], length: usize) -> io::Result<Vec<u8>> {
        self.decompressor.decompress(self.codec, compressed, length)
    }
}
