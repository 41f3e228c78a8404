//! Which codec, level and dictionary a segment gets.

use crate::coldseg::dictionary::Dictionary;
use crate::coldseg::throttle::cpu_time;
use precursor_compression::{ColdCodec, ColdCompressor};
use precursor_model::ColdCompression;
use std::io;
use std::time::{Duration, Instant};

/// `adaptive`: a second of a processor is worth so many bytes of disk.
const BYTES_PER_CPU_SECOND: f64 = 4e6;
/// Bits per byte from which on a sample looks like noise: only the cheapest codec is tried.
const NOISE_BITS: f64 = 7.95;
/// A dictionary is made anew when it comes to less than this of what it once did.
const AGED_PERMILLE: u64 = 900;
/// Segments that a dictionary may be expected to serve.
const SEGMENTS_SERVED: f64 = 4.0;

/// How a segment's chunks are compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub codec: ColdCodec,
    pub level: i32,
    pub dictionary: Option<Dictionary>,
}

impl Choice {
    pub fn compressor(&self) -> io::Result<ColdCompressor> {
        let dictionary = self.dictionary.as_ref().map(|d| &d.bytes[..]);
        ColdCompressor::new(self.codec, self.level, dictionary)
    }
}

/// What there is to choose from.
pub(crate) struct Candidates<'a> {
    pub kind: ColdCompression,
    /// `None`: the codec's own.
    pub level: Option<i32>,
    /// Pieces of batches, for a new dictionary.
    pub pieces: &'a [Vec<u8>],
    /// Chunks, to try codecs on.
    pub chunks: &'a [Vec<u8>],
    /// Bytes of the segment.
    pub size: u64,
    /// Dictionaries that there are already.
    pub dictionaries: Vec<Dictionary>,
}

impl Candidates<'_> {
    pub fn choose(self) -> io::Result<Choice> {
        let level = |own: i32, most: i32| self.level.unwrap_or(own).clamp(0, most);
        match self.kind {
            ColdCompression::None | ColdCompression::Zstd => {
                Ok(plain(ColdCodec::Zstd, level(9, 22)))
            }
            ColdCompression::Brotli => Ok(plain(ColdCodec::Brotli, level(6, 11))),
            ColdCompression::Lzma => Ok(plain(ColdCodec::Lzma, level(6, 9))),
            ColdCompression::ZstdDict => self.with_dictionary(level(9, 22)),
            ColdCompression::Adaptive => self.adaptive(),
        }
    }

    /// The dictionary that does best, unless all have aged: then a new one.
    fn with_dictionary(&self, level: i32) -> io::Result<Choice> {
        let mut best = plain(ColdCodec::Zstd, level);
        let mut best_bytes = bytes_of(&best, self.chunks)?;
        let before: u64 = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let mut is_young = false;
        for dictionary in &self.dictionaries {
            let choice = Choice {
                dictionary: Some(dictionary.clone()),
                ..plain(ColdCodec::Zstd, level)
            };
            let bytes = bytes_of(&choice, self.chunks)?;
            if bytes < best_bytes {
                let once = u64::from(dictionary.ratio_permille) * AGED_PERMILLE / 1000;
                is_young = before * 1000 / bytes.max(1) >= once;
                (best, best_bytes) = (choice, bytes);
            }
        }
        if is_young {
            return Ok(best);
        }
        if let Some(mut dictionary) = Dictionary::train(self.pieces) {
            let mut choice = plain(ColdCodec::Zstd, level);
            choice.dictionary = Some(dictionary.clone());
            let bytes = bytes_of(&choice, self.chunks)?;
            // It takes up room itself, and serves the segments that follow.
            let share = self.size as f64 / before.max(1) as f64;
            let saved = best_bytes.saturating_sub(bytes) as f64 * share;
            if saved * SEGMENTS_SERVED > dictionary.bytes.len() as f64 {
                let ratio = before * 1000 / bytes.max(1);
                dictionary.ratio_permille = u32::try_from(ratio).unwrap_or(u32::MAX);
                choice.dictionary = Some(dictionary);
                return Ok(choice);
            }
        }
        Ok(best)
    }

    /// Tries several on the sample: the one whose bytes and time of a processor, weighed against
    /// each other, cost least.
    fn adaptive(&self) -> io::Result<Choice> {
        let fastest = plain(ColdCodec::Zstd, 1);
        if entropy_bits(self.chunks) >= NOISE_BITS {
            return Ok(fastest);
        }
        let mut tried = vec![
            fastest,
            plain(ColdCodec::Zstd, 6),
            plain(ColdCodec::Zstd, 15),
            plain(ColdCodec::Brotli, 6),
            plain(ColdCodec::Lzma, 6),
        ];
        let with_dictionary = self.with_dictionary(9)?;
        if let Some(dictionary) = with_dictionary.dictionary.clone() {
            tried.extend([3, 9, 15].map(|level| Choice {
                dictionary: Some(dictionary.clone()),
                ..plain(ColdCodec::Zstd, level)
            }));
        }
        let measured: Vec<(u64, Duration)> = tried
            .iter()
            .map(|choice| measure(choice, self.chunks))
            .collect::<io::Result<_>>()?;
        let at = best_of(&measured);
        Ok(tried.swap_remove(at))
    }
}

fn plain(codec: ColdCodec, level: i32) -> Choice {
    Choice {
        codec,
        level,
        dictionary: None,
    }
}

/// Which of these sizes and times is worth most.
fn best_of(measured: &[(u64, Duration)]) -> usize {
    let cost =
        |(bytes, time): &(u64, Duration)| *bytes as f64 + time.as_secs_f64() * BYTES_PER_CPU_SECOND;
    let costs = measured.iter().map(cost).enumerate();
    costs
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |(at, _)| at)
}

fn bytes_of(choice: &Choice, chunks: &[Vec<u8>]) -> io::Result<u64> {
    let mut compressor = choice.compressor()?;
    let mut bytes = 0;
    for chunk in chunks {
        // What does not shrink is stored as it is.
        bytes += compressor.compress(chunk)?.len().min(chunk.len()) as u64;
    }
    Ok(bytes)
}

fn measure(choice: &Choice, chunks: &[Vec<u8>]) -> io::Result<(u64, Duration)> {
    let clock = Instant::now();
    let begun = cpu_time(clock);
    let bytes = bytes_of(choice, chunks)?;
    Ok((bytes, cpu_time(clock).saturating_sub(begun)))
}

/// Shannon's entropy of single bytes, in bits per byte.
pub(crate) fn entropy_bits(chunks: &[Vec<u8>]) -> f64 {
    let mut counts = [0u64; 256];
    for byte in chunks.iter().flatten() {
        counts[usize::from(*byte)] += 1;
    }
    let all = counts.iter().sum::<u64>().max(1) as f64;
    let bits = |count: &u64| {
        let share = *count as f64 / all;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(bits).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 9u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    fn rows(count: usize) -> Vec<Vec<u8>> {
        let row = |n: usize| {
            format!(
                "{{\"id\":{n},\"user\":\"u-{}\",\"on\":true}}",
                n * 7919 % 997
            )
        };
        (0..count).map(|n| row(n).into_bytes()).collect()
    }

    fn choose(kind: ColdCompression, pieces: &[Vec<u8>], chunks: &[Vec<u8>]) -> Choice {
        let candidates = Candidates {
            kind,
            level: None,
            pieces,
            chunks,
            size: 1 << 30,
            dictionaries: Vec::new(),
        };
        candidates.choose().unwrap()
    }

    #[test]
    fn entropy_tells_noise_from_text() {
        assert!(entropy_bits(&[noise(100_000)]) > NOISE_BITS);
        assert!(entropy_bits(&rows(1_000)) < 6.0);
        assert_eq!(entropy_bits(&[vec![7; 100]]), 0.0);
        assert_eq!(entropy_bits(&[]), 0.0);
    }

    #[test]
    fn small_chunks_of_rows_get_a_dictionary_and_keep_it() {
        let pieces = rows(5_000);
        let chunks: Vec<Vec<u8>> = pieces.chunks(10).take(8).map(<[_]>::concat).collect();
        let first = choose(ColdCompression::ZstdDict, &pieces, &chunks);
        let dictionary = first.dictionary.clone().unwrap();
        assert!(
            dictionary.ratio_permille > 2_000,
            "{}",
            dictionary.ratio_permille
        );
        let again = Candidates {
            kind: ColdCompression::ZstdDict,
            level: None,
            pieces: &[],
            chunks: &chunks,
            size: 1 << 30,
            dictionaries: vec![dictionary.clone()],
        };
        assert_eq!(again.choose().unwrap(), first);
        // It did better once: it has aged, and the new one is as good as it was.
        let aged = Dictionary {
            ratio_permille: 2 * dictionary.ratio_permille,
            ..dictionary.clone()
        };
        let other = Candidates {
            kind: ColdCompression::ZstdDict,
            level: None,
            pieces: &rows(4_000),
            chunks: &chunks,
            size: 1 << 30,
            dictionaries: vec![aged.clone()],
        };
        let chosen = other.choose().unwrap().dictionary.unwrap();
        assert!(chosen.id != aged.id || chosen == aged);
    }

    #[test]
    fn noise_is_not_worth_a_dear_codec() {
        let chunks = vec![noise(65_536); 4];
        let choice = choose(ColdCompression::Adaptive, &[], &chunks);
        assert_eq!(choice, plain(ColdCodec::Zstd, 1));
    }

    #[test]
    fn a_dearer_codec_must_save_enough() {
        let ms = Duration::from_millis;
        // Half a megabyte for 100 ms more is enough, 100 kB for a second more is not.
        let measured = [
            (3_000_000, ms(10)),
            (2_500_000, ms(110)),
            (2_400_000, ms(1_110)),
        ];
        assert_eq!(best_of(&measured), 1);
        assert_eq!(best_of(&measured[..1]), 0);
    }
}
