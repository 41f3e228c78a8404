//! The codecs of record batches, as clients write and read them.
//!
//! [`Decoder`] and [`Encoder`] stream: what a few bytes decompress to need never lie in memory whole,
//! and whoever reads stops when there is too much of it. [`compress`] and [`decompress`] are for
//! those who want all of it. What rests on disk may be in codecs that no client knows:
//! [`ColdCompressor`].
#![forbid(unsafe_code)]

mod cold;
mod gzip;
mod hardware;
mod limits;
mod lz4_frame;
mod output;
mod snappy;
mod stream;
mod zstd_frame;

#[cfg(test)]
mod tests;

pub use cold::{
    ColdCodec, ColdCompressor, ColdDecompressor, DICTIONARY_BYTES_MAX, train_dictionary,
    train_dictionary_within,
};
pub use hardware::{Format, HARDWARE_BYTES_MAX, HardwareCodec, Software, conforms};
pub use limits::PlainLimits;
pub use stream::{Contexts, Decoder, Encoder};

use precursor_protocol::records::Codec;
use std::io::{self, Read, Write};

/// What [`decompress`] gives at most: a peer that is not trusted could send a bomb.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;

/// A codec and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub codec: Codec,
    /// As Kafka counts (KIP-390): gzip 1 to 9 or -1 for its own, lz4 1 to 17, zstd -131072 to 22; the
    /// others have none.
    pub level: i32,
}

impl Recipe {
    /// The codec at the level that Kafka's clients and brokers have when nobody chooses.
    pub const fn of(codec: Codec) -> Recipe {
        let level = match codec {
            Codec::Gzip => -1,
            Codec::Lz4 => lz4_frame::LEVEL_DEFAULT,
            Codec::Zstd => 3,
            Codec::None | Codec::Snappy | Codec::Unknown(_) => 0,
        };
        Recipe { codec, level }
    }

    /// Whether nobody chose the level: a codec that has one of its own may take it.
    pub fn is_own_level(self) -> bool {
        self == Recipe::of(self.codec)
    }
}

/// Compresses a batch's records at the codec's own level.
///
/// # Errors
/// Only what the codec's library reports.
pub fn compress(codec: Codec, plain: &[u8]) -> io::Result<Vec<u8>> {
    compress_with(Recipe::of(codec), plain)
}

/// Compresses a batch's records.
///
/// # Errors
/// Only what the codec's library reports.
pub fn compress_with(recipe: Recipe, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut contexts = Contexts::default();
    let plain_bytes = Some(plain.len() as u64);
    let mut encoder = Encoder::new(recipe, plain_bytes, &mut out, usize::MAX, &mut contexts)?;
    encoder.write_all(plain)?;
    encoder.finish()?;
    Ok(out)
}

/// Decompresses a batch's records, at most [`DECOMPRESSED_BYTES_MAX`].
///
/// # Errors
/// The bytes are not what the codec writes, or decompress to too much.
pub fn decompress(codec: Codec, compressed: &[u8]) -> io::Result<Vec<u8>> {
    decompress_bounded(codec, compressed, DECOMPRESSED_BYTES_MAX)
}

/// Decompresses a batch's records, at most `bytes_max`.
///
/// # Errors
/// The bytes are not what the codec writes, or decompress to too much.
pub fn decompress_bounded(
    codec: Codec,
    compressed: &[u8],
    bytes_max: usize,
) -> io::Result<Vec<u8>> {
    let mut contexts = Contexts::default();
    let mut decoder = Decoder::new(codec, compressed, bytes_max, &mut contexts)?;
    let mut plain = Vec::new();
    let most = (bytes_max as u64).saturating_add(1);
    (&mut decoder).take(most).read_to_end(&mut plain)?;
    if plain.len() > bytes_max {
        return Err(too_much(bytes_max));
    }
    decoder.finish()?;
    Ok(plain)
}

/// More bytes than there may be: the kind tells it from damage.
fn too_much(bytes_max: usize) -> io::Error {
    let message = format!("the batch decompresses to more than {bytes_max} bytes");
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
