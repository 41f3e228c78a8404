//! The codecs by the names that Kafka gives them.

use precursor_protocol::records::Codec;

pub use precursor_compression::{compress, decompress};

const NAMES: [(&str, Codec); 5] = [
    ("none", Codec::None),
    ("gzip", Codec::Gzip),
    ("snappy", Codec::Snappy),
    ("lz4", Codec::Lz4),
    ("zstd", Codec::Zstd),
];

/// The codec of this name.
///
/// # Errors
/// There is no such codec.
pub fn parse_codec(name: &str) -> Result<Codec, String> {
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, codec)| *codec)
        .ok_or_else(|| "known are none, gzip, snappy, lz4 and zstd".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        for (name, codec) in NAMES {
            assert_eq!(parse_codec(name), Ok(codec));
        }
        assert!(parse_codec("brotli").is_err());
    }
}
