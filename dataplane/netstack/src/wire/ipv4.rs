//! IPv4 headers (RFC 791).

use super::checksum::Sum;
use super::ip::{Address, Fault, Packet};
use super::{be16, put16};

/// Bytes of the header that [`write`] makes; it has no options.
pub const HEADER: usize = 20;

const DO_NOT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

/// Checks the header and cuts the payload to the header's length (frames carry padding).
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Fault> {
    if bytes.len() < HEADER || bytes[0] >> 4 != 4 {
        return Err(Fault::Malformed);
    }
    let header = usize::from(bytes[0] & 0x0f) * 4;
    let total = usize::from(be16(bytes, 2));
    if header < HEADER || total < header || bytes.len() < total {
        return Err(Fault::Malformed);
    }
    if Sum::default().bytes(&bytes[..header]).finish() != 0 {
        return Err(Fault::Malformed);
    }
    let fragment = be16(bytes, 6);
    if fragment & (MORE_FRAGMENTS | OFFSET_MASK) != 0 {
        return Err(Fault::Fragment);
    }
    // Source routes would let a sender choose the answer's way (RFC 7126); other options only
    // take time. Nothing of ours needs any.
    if header > HEADER {
        return Err(Fault::Unsupported);
    }
    Ok(Packet {
        source: Address::v4([bytes[12], bytes[13], bytes[14], bytes[15]]),
        destination: Address::v4([bytes[16], bytes[17], bytes[18], bytes[19]]),
        protocol: bytes[9],
        payload: &bytes[header..total],
    })
}

/// Writes a header in front of `length` bytes, never to be fragmented (RFC 1191).
pub fn write(
    out: &mut [u8],
    source: [u8; 4],
    destination: [u8; 4],
    protocol: u8,
    length: usize,
    identification: u16,
) -> usize {
    out[0] = 0x45;
    out[1] = 0;
    put16(out, 2, (HEADER + length) as u16);
    put16(out, 4, identification);
    put16(out, 6, DO_NOT_FRAGMENT);
    out[8] = 64;
    out[9] = protocol;
    put16(out, 10, 0);
    out[12..16].copy_from_slice(&source);
    out[16..20].copy_from_slice(&destination);
    let checksum = Sum::default().bytes(&out[..HEADER]).finish();
    put16(out, 10, checksum);
    HEADER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        write(&mut bytes, [10, 0, 0, 1], [10, 0, 0, 2], 6, length, 7);
        bytes
    }

    #[test]
    fn padding_is_cut_and_a_torn_packet_refused() {
        assert_eq!(parse(&header(9)).unwrap().payload.len(), 9);
        assert_eq!(parse(&header(45)).unwrap_err(), Fault::Malformed);
        assert_eq!(parse(&header(9)[..19]).unwrap_err(), Fault::Malformed);
    }

    #[test]
    fn a_wrong_checksum_a_fragment_and_options_are_told_apart() {
        let mut bytes = header(9);
        bytes[13] ^= 1;
        assert_eq!(parse(&bytes).unwrap_err(), Fault::Malformed);
        for (at, value, fault) in [(6, 0x20, Fault::Fragment), (0, 0x46, Fault::Unsupported)] {
            let mut bytes = header(9);
            bytes[at] = value;
            put16(&mut bytes, 10, 0);
            let length = usize::from(bytes[0] & 15) * 4;
            let checksum = Sum::default().bytes(&bytes[..length]).finish();
            put16(&mut bytes, 10, checksum);
            assert_eq!(parse(&bytes).unwrap_err(), fault);
        }
    }
}
