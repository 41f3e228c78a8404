//! gzip: members one after another.

use crate::output::Output;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

/// `level`: 1 to 9; anything else is the library's own.
pub(crate) fn encoder(level: i32, output: Output<'_>) -> GzEncoder<Output<'_>> {
    let level = match u32::try_from(level) {
        Ok(level @ 1..=9) => Compression::new(level),
        _ => Compression::default(),
    };
    GzEncoder::new(output, level)
}

pub(crate) fn decoder(compressed: &[u8]) -> MultiGzDecoder<&[u8]> {
    MultiGzDecoder::new(compressed)
}
