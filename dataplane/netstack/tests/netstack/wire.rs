//! Segments as tests write and read them: built and parsed apart from the code under test.

use std::net::IpAddr;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const PSH: u8 = 8;
pub const ACK: u8 = 16;

/// A TCP segment with its options taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub flags: u8,
    pub from_port: u16,
    pub to_port: u16,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    pub mss: Option<u16>,
    pub scale: Option<u8>,
    pub sack_ok: bool,
    pub ts: Option<(u32, u32)>,
    pub sack: Vec<(u32, u32)>,
    pub payload: Vec<u8>,
}

pub fn checksum(parts: &[&[u8]]) -> u16 {
    let bytes = parts.concat();
    let mut total = 0_u32;
    for pair in bytes.chunks(2) {
        total += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

pub fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut bytes = octets(from);
    bytes.extend(octets(to));
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend([0, 0, 0, protocol]);
    bytes
}

pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

impl Segment {
    fn options(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(mss) = self.mss {
            bytes.extend([2, 4]);
            bytes.extend(mss.to_be_bytes());
        }
        if let Some(scale) = self.scale {
            bytes.extend([1, 3, 3, scale]);
        }
        if self.sack_ok {
            bytes.extend([1, 1, 4, 2]);
        }
        if let Some((value, echo)) = self.ts {
            bytes.extend([1, 1, 8, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(echo.to_be_bytes());
        }
        if !self.sack.is_empty() {
            bytes.extend([1, 1, 5, 2 + 8 * self.sack.len() as u8]);
            for (start, end) in &self.sack {
                bytes.extend(start.to_be_bytes());
                bytes.extend(end.to_be_bytes());
            }
        }
        bytes
    }

    pub fn bytes(&self, from: IpAddr, to: IpAddr) -> Vec<u8> {
        let options = self.options();
        let mut bytes = Vec::new();
        bytes.extend(self.from_port.to_be_bytes());
        bytes.extend(self.to_port.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([(5 + options.len() as u8 / 4) << 4, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(options);
        bytes.extend(&self.payload);
        let sum = checksum(&[&pseudo(from, to, 6, bytes.len()), &bytes]);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    pub fn parse(bytes: &[u8], from: IpAddr, to: IpAddr) -> Segment {
        assert_eq!(
            checksum(&[&pseudo(from, to, 6, bytes.len()), bytes]),
            0,
            "a TCP checksum"
        );
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let half = |at: usize| u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
        let header = usize::from(bytes[12] >> 4) * 4;
        let mut segment = Segment {
            flags: bytes[13],
            from_port: half(0),
            to_port: half(2),
            seq: word(4),
            ack: word(8),
            window: half(14),
            payload: bytes[header..].to_vec(),
            ..Segment::default()
        };
        let mut at = 20;
        while at < header {
            let length = match bytes[at] {
                0 => break,
                1 => 1,
                _ => usize::from(bytes[at + 1]),
            };
            match bytes[at] {
                2 => segment.mss = Some(half(at + 2)),
                3 => segment.scale = Some(bytes[at + 2]),
                4 => segment.sack_ok = true,
                5 => {
                    for block in (at + 2..at + length).step_by(8) {
                        segment.sack.push((word(block), word(block + 4)));
                    }
                }
                8 => segment.ts = Some((word(at + 2), word(at + 6))),
                _ => {}
            }
            at += length;
        }
        segment
    }
}

/// Ethernet and IP around a payload.
pub fn frame(
    macs: ([u8; 6], [u8; 6]),
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    body: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(macs.1);
    bytes.extend(macs.0);
    match from {
        IpAddr::V4(_) => {
            bytes.extend([8, 0]);
            let mut header = vec![0x45, 0];
            header.extend((20 + body.len() as u16).to_be_bytes());
            header.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            header.extend(octets(from));
            header.extend(octets(to));
            let sum = checksum(&[&header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            bytes.extend(header);
        }
        IpAddr::V6(_) => {
            bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            bytes.extend((body.len() as u16).to_be_bytes());
            bytes.extend([protocol, 255]);
            bytes.extend(octets(from));
            bytes.extend(octets(to));
        }
    }
    bytes.extend(body);
    bytes
}

/// The IP payload of a frame, its protocol, and whether the headers are sound.
pub fn unframe(bytes: &[u8]) -> (u8, &[u8]) {
    match bytes[12..14] {
        [8, 0] => {
            assert_eq!(checksum(&[&bytes[14..34]]), 0, "an IP checksum");
            let total = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
            assert_eq!(total + 14, bytes.len());
            (bytes[23], &bytes[34..])
        }
        [0x86, 0xdd] => {
            let length = usize::from(u16::from_be_bytes([bytes[18], bytes[19]]));
            assert_eq!(length + 54, bytes.len());
            (bytes[20], &bytes[54..])
        }
        [a, b] => (0, if (a, b) == (8, 6) { &bytes[14..] } else { &[] }),
        _ => unreachable!(),
    }
}
