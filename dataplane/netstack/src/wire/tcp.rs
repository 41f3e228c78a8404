//! TCP segments (RFC 9293, 3.1) and their options.

use super::{be16, be32, put16, put32};

/// Bytes of the header without options.
pub const HEADER: usize = 20;
/// Bytes that timestamps take in each segment, with their padding.
pub const TIMESTAMPS: usize = 12;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// Bytes that were received out of order, or twice: `start..end` in sequence space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlock {
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    pub value: u32,
    pub echo: u32,
}

/// The options that are understood; others are skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub mss: Option<u16>,
    /// Shift count, already cut to 14 (RFC 7323, 2.3).
    pub window_scale: Option<u8>,
    pub sack_permitted: bool,
    pub timestamps: Option<Timestamps>,
    pub sack: [SackBlock; 4],
    pub sack_count: u8,
}

impl Options {
    pub fn sack_blocks(&self) -> &[SackBlock] {
        &self.sack[..usize::from(self.sack_count)]
    }

    /// Adds a block; the fifth and later are left out.
    pub fn push_sack(&mut self, block: SackBlock) {
        if let Some(free) = self.sack.get_mut(usize::from(self.sack_count)) {
            *free = block;
            self.sack_count += 1;
        }
    }

    /// Bytes that [`Options::write`] makes, a multiple of 4.
    pub fn length(&self) -> usize {
        let mut length = 0;
        length += self.mss.map_or(0, |_| 4);
        length += self.window_scale.map_or(0, |_| 4);
        length += match (self.sack_permitted, self.timestamps.is_some()) {
            // The permission takes the place of the timestamps' padding.
            (_, true) => TIMESTAMPS,
            (true, false) => 4,
            (false, false) => 0,
        };
        if self.sack_count > 0 {
            length += 4 + 8 * usize::from(self.sack_count);
        }
        length
    }

    fn write(&self, out: &mut [u8]) {
        let mut at = 0;
        if let Some(mss) = self.mss {
            out[at..at + 2].copy_from_slice(&[2, 4]);
            put16(out, at + 2, mss);
            at += 4;
        }
        if let Some(shift) = self.window_scale {
            out[at..at + 4].copy_from_slice(&[1, 3, 3, shift]);
            at += 4;
        }
        if self.sack_permitted {
            out[at..at + 2].copy_from_slice(&[4, 2]);
            at += 2;
        }
        if let Some(timestamps) = self.timestamps {
            if !self.sack_permitted {
                out[at..at + 2].copy_from_slice(&[1, 1]);
                at += 2;
            }
            out[at..at + 2].copy_from_slice(&[8, 10]);
            put32(out, at + 2, timestamps.value);
            put32(out, at + 6, timestamps.echo);
            at += 10;
        } else if self.sack_permitted {
            out[at..at + 2].copy_from_slice(&[1, 1]);
            at += 2;
        }
        if self.sack_count > 0 {
            out[at..at + 4].copy_from_slice(&[1, 1, 5, 2 + 8 * self.sack_count]);
            at += 4;
            for block in self.sack_blocks() {
                put32(out, at, block.start);
                put32(out, at + 4, block.end);
                at += 8;
            }
        }
    }
}

/// A segment as received, its checksum not yet looked at.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    /// As written: not scaled.
    pub window: u16,
    pub options: Options,
    pub payload: &'a [u8],
}

impl Segment<'_> {
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Length in sequence space: the payload, and one each for SYN and FIN.
    pub fn length(&self) -> u32 {
        self.payload.len() as u32 + u32::from(self.has(SYN)) + u32::from(self.has(FIN))
    }

    pub fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.length())
    }
}

/// None for segments whose lengths cannot be. Broken options end the list of options, no more
/// (RFC 9293, MUST-7 asks for robustness).
pub fn parse(bytes: &[u8]) -> Option<Segment<'_>> {
    if bytes.len() < HEADER {
        return None;
    }
    let header = usize::from(bytes[12] >> 4) * 4;
    if header < HEADER || bytes.len() < header {
        return None;
    }
    Some(Segment {
        source_port: be16(bytes, 0),
        destination_port: be16(bytes, 2),
        sequence: be32(bytes, 4),
        acknowledgment: be32(bytes, 8),
        flags: bytes[13] & 0x3f,
        window: be16(bytes, 14),
        options: parse_options(&bytes[HEADER..header]),
        payload: &bytes[header..],
    })
}

fn parse_options(mut bytes: &[u8]) -> Options {
    let mut options = Options::default();
    while let [kind, rest @ ..] = bytes {
        match kind {
            0 => break,
            1 => {
                bytes = rest;
                continue;
            }
            _ => {}
        }
        let Some(length) = rest.first().map(|length| usize::from(*length)) else {
            break;
        };
        if length < 2 || length > bytes.len() {
            break;
        }
        let value = &bytes[2..length];
        match (kind, value.len()) {
            (2, 2) => options.mss = Some(be16(value, 0)),
            (3, 1) => options.window_scale = Some(value[0].min(14)),
            (4, 0) => options.sack_permitted = true,
            (5, 8 | 16 | 24 | 32) => {
                for block in value.chunks_exact(8) {
                    options.push_sack(SackBlock {
                        start: be32(block, 0),
                        end: be32(block, 4),
                    });
                }
            }
            (8, 8) => {
                options.timestamps = Some(Timestamps {
                    value: be32(value, 0),
                    echo: be32(value, 4),
                });
            }
            _ => {}
        }
        bytes = &bytes[length..];
    }
    options
}

/// A header to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    pub options: Options,
}

/// Where the checksum is, from the header's start.
pub const CHECKSUM_OFFSET: usize = 16;

/// Writes the header with checksum 0 and returns its length.
pub fn write(out: &mut [u8], header: &Header) -> usize {
    let length = HEADER + header.options.length();
    put16(out, 0, header.source_port);
    put16(out, 2, header.destination_port);
    put32(out, 4, header.sequence);
    put32(out, 8, header.acknowledgment);
    out[12] = (length as u8 / 4) << 4;
    out[13] = header.flags;
    put16(out, 14, header.window);
    put32(out, CHECKSUM_OFFSET, 0);
    header.options.write(&mut out[HEADER..length]);
    length
}

/// Writes the checksum into a header.
pub fn set_checksum(out: &mut [u8], checksum: u16) {
    put16(out, CHECKSUM_OFFSET, checksum);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(options: Options) -> Options {
        let mut bytes = [0xee; 60];
        let header = Header {
            options,
            ..Header::default()
        };
        let length = write(&mut bytes, &header);
        assert_eq!(length, HEADER + options.length());
        parse(&bytes[..length]).unwrap().options
    }

    #[test]
    fn options_come_back() {
        for bits in 0..32_u32 {
            let mut options = Options {
                mss: (bits & 1 != 0).then_some(1460),
                window_scale: (bits & 2 != 0).then_some(7),
                sack_permitted: bits & 4 != 0,
                timestamps: (bits & 8 != 0).then_some(Timestamps { value: 1, echo: 2 }),
                ..Options::default()
            };
            if bits & 16 != 0 && bits & 3 == 0 {
                options.push_sack(SackBlock { start: 5, end: 9 });
                options.push_sack(SackBlock { start: 15, end: 19 });
            }
            assert_eq!(round_trip(options), options, "{bits}");
        }
    }

    #[test]
    fn broken_options_end_the_list() {
        assert_eq!(parse_options(&[2, 4, 5, 0xb4, 8, 200, 1]).mss, Some(1460));
        assert_eq!(parse_options(&[3, 1, 2, 4, 5, 0xb4]).mss, None);
        assert_eq!(parse_options(&[2]).mss, None);
        assert_eq!(parse_options(&[3, 3, 200]).window_scale, Some(14));
    }
}
