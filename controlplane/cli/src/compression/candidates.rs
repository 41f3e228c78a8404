//! Codecs and levels that are measured.

use precursor_compression::{ColdCodec, Recipe};
use precursor_protocol::records::Codec;

/// A codec at a level.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// As `compression.type` names it where it can.
    pub codec: &'static str,
    pub level: Option<i32>,
    pub how: How,
}

/// How it compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As producers and brokers do.
    Batch(Recipe),
    /// As no client can read it: for data at rest.
    Cold {
        codec: ColdCodec,
        level: i32,
        dictionary: bool,
    },
}

impl Candidate {
    /// Whether a topic's `compression.type` can say so.
    pub fn is_topics(&self) -> bool {
        matches!(self.how, How::Batch(_))
    }
}

/// All of them, by codec.
pub fn candidates() -> Vec<Candidate> {
    let batch = |name, codec, levels: &'static [i32]| {
        levels.iter().map(move |level| Candidate {
            codec: name,
            level: Some(*level),
            how: How::Batch(Recipe {
                codec,
                level: *level,
            }),
        })
    };
    let plain = |name, codec| Candidate {
        codec: name,
        level: None,
        how: How::Batch(Recipe::of(codec)),
    };
    let cold = |name, codec, dictionary, levels: &'static [i32]| {
        levels.iter().map(move |level| Candidate {
            codec: name,
            level: Some(*level),
            how: How::Cold {
                codec,
                level: *level,
                dictionary,
            },
        })
    };
    let mut all = vec![
        plain("uncompressed", Codec::None),
        plain("snappy", Codec::Snappy),
    ];
    all.extend(batch("lz4", Codec::Lz4, &[9, 3, 12]));
    all.extend(batch("gzip", Codec::Gzip, &[1, 6, 9]));
    all.extend(batch("zstd", Codec::Zstd, &[-5, 1, 3, 6, 9, 15, 19]));
    all.extend(cold(
        "zstd-dictionary",
        ColdCodec::Zstd,
        true,
        &[1, 3, 9, 19],
    ));
    all.extend(cold("brotli", ColdCodec::Brotli, false, &[1, 5, 9]));
    all.extend(cold("lzma", ColdCodec::Lzma, false, &[1, 6]));
    all
}
