//! LZ4 frames.

use crate::output::Output;
use lz4::{BlockMode, EncoderBuilder};
use std::io;

/// Kafka's default, which it understands as the fast compressor; every other level is one of the
/// high compressor (`Lz4BlockOutputStream`).
pub(crate) const LEVEL_DEFAULT: i32 = 9;

/// The high compressor's levels in the library.
const HIGH_LEVELS: std::ops::RangeInclusive<i32> = 3..=12;

/// Kafka's Java client reads frames of independent blocks only.
pub(crate) fn encoder(level: i32, output: Output<'_>) -> io::Result<lz4::Encoder<Output<'_>>> {
    let level = match level {
        LEVEL_DEFAULT => 0,
        level => level.clamp(*HIGH_LEVELS.start(), *HIGH_LEVELS.end()),
    };
    EncoderBuilder::new()
        .block_mode(BlockMode::Independent)
        .level(level as u32)
        .build(output)
}

pub(crate) fn decoder(compressed: &[u8]) -> io::Result<lz4::Decoder<&[u8]>> {
    lz4::Decoder::new(compressed)
}
