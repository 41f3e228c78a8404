//! The Internet checksum (RFC 1071), over pieces of any length.

/// A running sum. Pieces are added in the order of the bytes; odd lengths between are minded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    total: u64,
    odd: bool,
}

impl Sum {
    pub fn bytes(mut self, bytes: &[u8]) -> Sum {
        let folded = u64::from(fold(add_bytes(bytes)));
        // A piece that begins at an odd byte has its bytes in the other halves.
        self.total += if self.odd {
            u64::from((folded as u16).swap_bytes())
        } else {
            folded
        };
        self.odd ^= bytes.len() % 2 == 1;
        self
    }

    pub fn word(mut self, word: u16) -> Sum {
        debug_assert!(!self.odd);
        self.total += u64::from(word.to_be());
        self
    }

    /// The folded sum without complement, for devices that finish the checksum themselves.
    pub fn partial(self) -> u16 {
        u16::from_be(fold(self.total))
    }

    /// The checksum to write, in host order; 0 over data that holds a right checksum.
    pub fn finish(self) -> u16 {
        !self.partial()
    }
}

/// The sum of native-endian words; the order of bytes is mended once, at the end.
fn add_bytes(bytes: &[u8]) -> u64 {
    let mut lanes = [0_u64; 4];
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(4)) {
            *lane += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        }
    }
    let mut total = lanes.iter().sum::<u64>();
    let mut pairs = blocks.remainder().chunks_exact(2);
    for pair in &mut pairs {
        total += u64::from(u16::from_ne_bytes([pair[0], pair[1]]));
    }
    if let [last] = pairs.remainder() {
        total += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    total
}

fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(bytes: &[u8]) -> u16 {
        let mut total = 0_u32;
        for pair in bytes.chunks(2) {
            total += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        }
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        !(total as u16)
    }

    #[test]
    fn agrees_with_the_plain_definition_in_any_pieces() {
        let bytes: Vec<u8> = (0..999_u32).map(|i| (i * 7 + i / 256 * 31) as u8).collect();
        for length in [0, 1, 2, 3, 15, 16, 17, 64, 65, 998, 999] {
            for cut in [0, 1, 2, 7, 16, 33, 500]
                .into_iter()
                .filter(|cut| *cut <= length)
            {
                let sum = Sum::default()
                    .bytes(&bytes[..cut])
                    .bytes(&bytes[cut..length]);
                assert_eq!(sum.finish(), slow(&bytes[..length]), "{length} {cut}");
            }
        }
    }

    #[test]
    fn the_example_of_rfc_1071() {
        let sum = Sum::default().bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.partial(), 0xddf2);
    }
}
