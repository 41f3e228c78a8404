//! The four codecs of record batches, as clients write and read them.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};

use precursor_protocol::records::Codec;

/// What [`decompress`] gives at most: a peer that is not trusted could send a bomb.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;

/// snappy-java's stream header, which Kafka's Java client writes: magic, version 1, compatible 1.
const XERIAL_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

/// Bytes before compression per block of a snappy stream, as snappy-java has it.
const XERIAL_BLOCK_BYTES: usize = 32 << 10;

/// Compresses a batch's records.
///
/// # Errors
/// Only what the codec's library reports.
pub fn compress(codec: Codec, plain: &[u8]) -> io::Result<Vec<u8>> {
    match codec {
        Codec::None => Ok(plain.to_vec()),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Codec::Snappy => compress_snappy(plain),
        Codec::Lz4 => {
            let mut encoder = lz4::EncoderBuilder::new()
                .block_mode(lz4::BlockMode::Independent)
                .build(Vec::new())?;
            encoder.write_all(plain)?;
            let (compressed, result) = encoder.finish();
            result.map(|()| compressed)
        }
        Codec::Zstd => zstd::stream::encode_all(plain, 3),
        Codec::Unknown(_) => Err(invalid("the codec is unknown")),
    }
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
    match codec {
        Codec::None if compressed.len() > bytes_max => Err(too_much(bytes_max)),
        Codec::None => Ok(compressed.to_vec()),
        Codec::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(compressed), bytes_max),
        Codec::Snappy => decompress_snappy(compressed, bytes_max),
        Codec::Lz4 => decompress_lz4(compressed, bytes_max),
        Codec::Zstd => read_bounded(zstd::stream::read::Decoder::new(compressed)?, bytes_max),
        Codec::Unknown(_) => Err(invalid("the codec is unknown")),
    }
}

fn too_much(bytes_max: usize) -> io::Error {
    let message = format!("the batch decompresses to more than {bytes_max} bytes");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn read_bounded(reader: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    reader.take(bytes_max as u64 + 1).read_to_end(&mut plain)?;
    if plain.len() > bytes_max {
        return Err(too_much(bytes_max));
    }
    Ok(plain)
}

/// The library ends a cut frame as if it were whole, until it is asked.
fn decompress_lz4(compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut decoder = lz4::Decoder::new(compressed)?;
    let plain = read_bounded(&mut decoder, bytes_max)?;
    decoder.finish().1.map(|()| plain)
}

fn compress_snappy(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = XERIAL_HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(XERIAL_BLOCK_BYTES) {
        let compressed = encoder.compress_vec(block).map_err(io::Error::other)?;
        let length = u32::try_from(compressed.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(out)
}

/// Both forms that clients write: snappy-java's stream of blocks, and one raw block (librdkafka).
fn decompress_snappy(compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let Some(mut blocks) = compressed
        .strip_prefix(&XERIAL_HEADER[..8])
        .and_then(|rest| rest.get(8..))
    else {
        return decompress_snappy_block(compressed, bytes_max);
    };
    let mut plain = Vec::new();
    while let Some((length, rest)) = blocks.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let block = rest
            .get(..length)
            .ok_or_else(|| invalid("a snappy block is cut short"))?;
        plain.extend(decompress_snappy_block(block, bytes_max - plain.len())?);
        blocks = &rest[length..];
    }
    if blocks.is_empty() {
        Ok(plain)
    } else {
        Err(invalid("a snappy stream ends within a block's length"))
    }
}

fn decompress_snappy_block(block: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let length = snap::raw::decompress_len(block).map_err(io::Error::other)?;
    if length > bytes_max {
        return Err(too_much(bytes_max));
    }
    snap::raw::Decoder::new()
        .decompress_vec(block)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 5] = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    fn samples() -> Vec<Vec<u8>> {
        let text: Vec<u8> = b"to be or not to be, "
            .iter()
            .copied()
            .cycle()
            .take(100_001)
            .collect();
        // A multiplicative generator with a fixed seed: bytes that do not compress.
        let mut state = 42u64;
        let noise = (0..70_000).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        vec![Vec::new(), vec![7], text, noise.collect()]
    }

    #[test]
    fn every_codec_returns_what_it_was_given() {
        for codec in CODECS {
            for sample in samples() {
                let compressed = compress(codec, &sample).unwrap();
                assert_eq!(decompress(codec, &compressed).unwrap(), sample, "{codec:?}");
            }
        }
    }

    #[test]
    fn a_raw_snappy_block_is_read_too() {
        let block = snap::raw::Encoder::new()
            .compress_vec(b"hello hello hello")
            .unwrap();
        assert_eq!(
            decompress(Codec::Snappy, &block).unwrap(),
            b"hello hello hello"
        );
    }

    #[test]
    fn cut_and_foreign_bytes_are_refused() {
        for codec in CODECS.into_iter().skip(1) {
            let compressed = compress(codec, &samples()[2]).unwrap();
            let cut = decompress(codec, &compressed[..compressed.len() / 2]);
            assert!(cut.is_err(), "{codec:?}");
            let foreign = decompress(codec, b"this was never compressed");
            assert!(foreign.is_err(), "{codec:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0u8; DECOMPRESSED_BYTES_MAX + 1];
        for codec in [Codec::Lz4, Codec::Zstd] {
            let bomb = compress(codec, &zeros).unwrap();
            let error = decompress(codec, &bomb).unwrap_err();
            assert!(
                error.to_string().contains("268435456"),
                "{codec:?}: {error}"
            );
        }
        // A raw block that only claims its size.
        let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(decompress(Codec::Snappy, &claim).is_err());
    }
}
