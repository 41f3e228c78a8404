//! From a push's bytes to its numbers.

use crate::otlp::{Decoded, metrics_data};
use precursor_compression::decompress_bounded;
use precursor_protocol::records::Codec;

/// How much larger than `telemetry.max.bytes` a push may become: names repeat, so honest ones
/// shrink to a tenth.
const EXPANSION_MAX: usize = 32;

/// The bytes are not what the client said they are, or become too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushRefused;

/// Decompresses and reads the metrics of a push. `bytes_max` is `telemetry.max.bytes`.
///
/// # Errors
/// The bytes cannot be read.
pub fn decode(codec: Codec, metrics: &[u8], bytes_max: usize) -> Result<Decoded, PushRefused> {
    let plain_max = bytes_max.saturating_mul(EXPANSION_MAX);
    let plain = decompress_bounded(codec, metrics, plain_max).map_err(|_| PushRefused)?;
    metrics_data(&plain).map_err(|_| PushRefused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_compression::compress;

    #[test]
    fn every_codec_is_read_and_a_bomb_is_not() {
        // An unknown field of a thousand bytes: a message without metrics.
        let mut message = vec![0x7a, 0xe8, 0x07];
        message.resize(1_003, b'x');
        let bomb = vec![0; 40 << 20];
        for codec in [
            Codec::None,
            Codec::Gzip,
            Codec::Snappy,
            Codec::Lz4,
            Codec::Zstd,
        ] {
            let small = compress(codec, &message).unwrap();
            assert_eq!(decode(codec, &small, 1 << 20), Ok(Decoded::default()));
            let large = compress(codec, &bomb).unwrap();
            assert_eq!(
                decode(codec, &large, 1 << 20),
                Err(PushRefused),
                "{codec:?}"
            );
        }
        assert_eq!(decode(Codec::Gzip, &message, 1 << 20), Err(PushRefused));
        assert_eq!(
            decode(Codec::None, &message[..900], 1 << 20),
            Err(PushRefused)
        );
    }
}
