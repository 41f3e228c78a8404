//! What a compacted topic asks of produced records: each has a key.

use crate::api::AppendError;
use precursor_compression::decompress_bounded;
use precursor_protocol::records::{BatchView, Codec, Records};

/// Compressed batches are looked into on the shard's thread: one that grows past this is refused.
const PLAIN_BYTES_MAX: usize = 64 << 20;

/// Checks a produced batch whose header and checksum are right.
///
/// # Errors
/// A record without a key (Kafka: `LogValidator.validateKey`), or records that cannot be read:
/// compaction could not read them either.
pub(crate) fn check_keys(batch: &[u8]) -> Result<(), AppendError> {
    let view = BatchView::parse(batch).map_err(|_| AppendError::Corrupt)?;
    let plain;
    let bytes = match view.codec() {
        Codec::None => view.record_bytes(),
        codec => {
            plain = decompress_bounded(codec, view.record_bytes(), PLAIN_BYTES_MAX)
                .map_err(|_| AppendError::InvalidRecord)?;
            &plain
        }
    };
    for (expected, record) in (0..).zip(Records::new(bytes, view.record_count())) {
        let record = record.map_err(|_| AppendError::InvalidRecord)?;
        if record.key.is_none() || record.offset_delta != expected {
            return Err(AppendError::InvalidRecord);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_compression::compress;
    use precursor_protocol::records::BatchBuilder;

    const CODECS: [Codec; 5] = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    fn batch(keys: &[Option<&[u8]>], codec: Codec) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        for key in keys {
            builder.append(1, *key, Some(b"value"), &[]);
        }
        let mut out = Vec::new();
        builder.build_with(&mut out, codec, |plain, out| {
            out.extend(compress(codec, plain).unwrap());
        });
        out
    }

    #[test]
    fn each_record_needs_a_key_in_every_codec() {
        for codec in CODECS {
            let keyed = batch(&[Some(b"a"), Some(b""), Some(b"c")], codec);
            assert_eq!(check_keys(&keyed), Ok(()), "{codec:?}");
            let keyless = batch(&[Some(b"a"), None], codec);
            let refused = check_keys(&keyless);
            assert_eq!(refused, Err(AppendError::InvalidRecord), "{codec:?}");
        }
        let mut garbage = batch(&[Some(b"a")], Codec::Zstd);
        garbage[70] ^= 0xff;
        assert_eq!(check_keys(&garbage), Err(AppendError::InvalidRecord));
    }
}
