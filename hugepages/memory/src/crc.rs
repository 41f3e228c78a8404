//! CRC-32C (Castagnoli), the checksum of Kafka's record batches.
//!
//! Three ways to the same number, chosen by length and processor: short inputs by the processor's
//! CRC instruction, long ones by carry-less multiplication (`crc-fast`), and a table for processors
//! that have neither, which is also the oracle that the others are tested against.

use crc_fast::CrcAlgorithm;

/// From this length on, folding with wide multiplications beats one stream of CRC instructions.
/// `cargo run --release -p precursor-memory --example crc` measures it.
const FOLDING_BYTES_MIN: usize = 384;

/// The polynomial of CRC-32C, bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The CRC-32C of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32c_append(0, bytes)
}

/// Continues a checksum: `crc32c_append(crc32c(a), b)` is the checksum of `a` followed by `b`.
pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
    if bytes.len() >= FOLDING_BYTES_MIN {
        return crc32c_folding_append(crc, bytes);
    }
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has SSE4.2, asked just above.
        return unsafe { sse42_append(crc, bytes) };
    }
    crc32c_portable_append(crc, bytes)
}

/// As [`crc32c_append`], by carry-less multiplication where the processor has it, at any length: for
/// measuring where that begins to pay.
pub fn crc32c_folding_append(crc: u32, bytes: &[u8]) -> u32 {
    // `crc-fast` keeps the register as it is between bytes, before the final inversion.
    let mut digest =
        crc_fast::Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!crc));
    digest.update(bytes);
    digest.finalize() as u32
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn sse42_append(crc: u32, bytes: &[u8]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};
    let (words, rest) = bytes.as_chunks::<8>();
    let mut register = u64::from(!crc);
    for word in words {
        register = _mm_crc32_u64(register, u64::from_le_bytes(*word));
    }
    let mut register = register as u32;
    for byte in rest {
        register = _mm_crc32_u8(register, *byte);
    }
    !register
}

/// As [`crc32c_append`], byte by byte from a table: no instruction that a processor may lack.
pub fn crc32c_portable_append(crc: u32, bytes: &[u8]) -> u32 {
    let mut register = !crc;
    for byte in bytes {
        register = TABLE[usize::from(register as u8 ^ byte)] ^ (register >> 8);
    }
    !register
}

static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut register = index as u32;
        let mut bit = 0;
        while bit < 8 {
            register = (register >> 1) ^ (POLYNOMIAL * (register & 1));
            bit += 1;
        }
        table[index] = register;
        index += 1;
    }
    table
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
    #[test]
    fn known_values() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&ascending), 0x46DD_794E);
        assert_eq!(crc32c(b""), 0);
    }

    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let next = |state: &mut u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *state as u8
        };
        (0..bytes).map(|_| next(&mut state)).collect()
    }

    #[test]
    fn every_way_agrees_with_the_table_at_every_length_and_alignment() {
        let data = noise(5000);
        for length in (0..300).chain([383, 384, 385, 511, 1000, 1024, 2047, 4096, 4990]) {
            for start in 0..9 {
                let bytes = &data[start..start + length];
                for crc in [0, 1, 0xFFFF_FFFF, 0x1234_5678] {
                    let expected = crc32c_portable_append(crc, bytes);
                    assert_eq!(crc32c_append(crc, bytes), expected, "{start} {length}");
                    assert_eq!(
                        crc32c_folding_append(crc, bytes),
                        expected,
                        "fold {start} {length}"
                    );
                    #[cfg(target_arch = "x86_64")]
                    if std::is_x86_feature_detected!("sse4.2") {
                        // SAFETY: the processor has SSE4.2, asked just above.
                        let by_instruction = unsafe { sse42_append(crc, bytes) };
                        assert_eq!(by_instruction, expected, "sse4.2 {start} {length}");
                    }
                }
            }
        }
    }

    proptest! {
        /// Any bytes at any alignment, in pieces of any length, begun with any checksum.
        #[test]
        fn every_way_is_the_tables(
            bytes in prop::collection::vec(any::<u8>(), 0..9_000),
            start in 0..64_usize,
            cuts in prop::collection::vec(0..9_000_usize, 0..4),
            crc in any::<u32>(),
        ) {
            let bytes = &bytes[start.min(bytes.len())..];
            let expected = crc32c_portable_append(crc, bytes);
            prop_assert_eq!(crc32c_folding_append(crc, bytes), expected);
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("sse4.2") {
                // SAFETY: the processor has SSE4.2, asked just above.
                prop_assert_eq!(unsafe { sse42_append(crc, bytes) }, expected);
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            let continued = pieces.fold(crc, crc32c_append);
            prop_assert_eq!(continued, expected);
        }
    }

    #[test]
    fn a_checksum_can_be_continued_anywhere() {
        let data = noise(4000);
        let whole = crc32c(&data);
        for cut in (0..=data.len()).step_by(61) {
            assert_eq!(crc32c_append(crc32c(&data[..cut]), &data[cut..]), whole);
        }
    }
}
