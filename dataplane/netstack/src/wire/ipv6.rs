//! IPv6 headers (RFC 8200).

use super::ip::{Address, Fault, Packet};
use super::{be16, put16, put32};

/// Bytes of the header; extension headers are read, never written.
pub const HEADER: usize = 40;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

/// Extension headers that are walked at most.
const EXTENSIONS_MAX: usize = 4;

/// A packet and its hop limit, which neighbour discovery insists on.
pub fn parse(bytes: &[u8]) -> Result<(Packet<'_>, u8), Fault> {
    if bytes.len() < HEADER || bytes[0] >> 4 != 6 {
        return Err(Fault::Malformed);
    }
    let length = usize::from(be16(bytes, 4));
    if bytes.len() < HEADER + length {
        return Err(Fault::Malformed);
    }
    let (protocol, payload) = skip_extensions(bytes[6], &bytes[HEADER..HEADER + length])?;
    let mut source = [0; 16];
    let mut destination = [0; 16];
    source.copy_from_slice(&bytes[8..24]);
    destination.copy_from_slice(&bytes[24..40]);
    let packet = Packet {
        source: Address(source),
        destination: Address(destination),
        protocol,
        payload,
    };
    // A mapped address on the wire would pass for an IPv4 peer (RFC 4942, 2.2).
    if packet.source.is_v4() || packet.destination.is_v4() {
        return Err(Fault::Malformed);
    }
    Ok((packet, bytes[7]))
}

fn skip_extensions(mut next: u8, mut rest: &[u8]) -> Result<(u8, &[u8]), Fault> {
    for _ in 0..EXTENSIONS_MAX {
        match next {
            HOP_BY_HOP | DESTINATION_OPTIONS | ROUTING => {
                if rest.len() < 8 {
                    return Err(Fault::Malformed);
                }
                // Segments left: the packet has further to go, and this is no router (RFC 5095).
                if next == ROUTING && rest[3] != 0 {
                    return Err(Fault::Unsupported);
                }
                let length = (usize::from(rest[1]) + 1) * 8;
                if rest.len() < length {
                    return Err(Fault::Malformed);
                }
                if next != ROUTING {
                    check_options(&rest[2..length])?;
                }
                next = rest[0];
                rest = &rest[length..];
            }
            FRAGMENT => return Err(Fault::Fragment),
            NO_NEXT_HEADER => return Err(Fault::Unsupported),
            protocol => return Ok((protocol, rest)),
        }
    }
    Err(Fault::Unsupported)
}

/// Options that an ignorant node must not skip end the packet (RFC 8200, 4.2).
fn check_options(mut options: &[u8]) -> Result<(), Fault> {
    while let [kind, rest @ ..] = options {
        if *kind == 0 {
            options = rest;
            continue;
        }
        let Some(length) = rest.first().map(|length| usize::from(*length) + 1) else {
            return Err(Fault::Malformed);
        };
        if rest.len() < length {
            return Err(Fault::Malformed);
        }
        if kind >> 6 != 0 {
            return Err(Fault::Unsupported);
        }
        options = &rest[length..];
    }
    Ok(())
}

/// Writes a header in front of `length` bytes.
pub fn write(
    out: &mut [u8],
    source: [u8; 16],
    destination: [u8; 16],
    protocol: u8,
    length: usize,
    hop_limit: u8,
) -> usize {
    put32(out, 0, 0x6000_0000);
    put16(out, 4, length as u16);
    out[6] = protocol;
    out[7] = hop_limit;
    out[8..24].copy_from_slice(&source);
    out[24..40].copy_from_slice(&destination);
    HEADER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(next: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let (from, to) = ([0xfd; 16], [0xfe; 16]);
        write(&mut bytes, from, to, next, body.len(), 64);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn extensions_are_walked_to_the_payload() {
        let hop = [DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0];
        let destination = [6, 0, 1, 4, 0, 0, 0, 0];
        let body = [&hop[..], &destination, b"tcp"].concat();
        let bytes = packet(HOP_BY_HOP, &body);
        let (parsed, hops) = parse(&bytes).unwrap();
        assert_eq!(
            (parsed.protocol, parsed.payload, hops),
            (6, &b"tcp"[..], 64)
        );
    }

    #[test]
    fn what_is_not_served_is_refused() {
        let fragment = packet(FRAGMENT, &[6, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(parse(&fragment).unwrap_err(), Fault::Fragment);
        let route = packet(ROUTING, &[6, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(parse(&route).unwrap_err(), Fault::Unsupported);
        let option = packet(HOP_BY_HOP, &[6, 0, 0xc2, 4, 0, 0, 0, 0]);
        assert_eq!(parse(&option).unwrap_err(), Fault::Unsupported);
        let torn = packet(HOP_BY_HOP, &[6, 9, 1, 4, 0, 0, 0, 0]);
        assert_eq!(parse(&torn).unwrap_err(), Fault::Malformed);
        let endless = packet(HOP_BY_HOP, &[0; 64]);
        assert_eq!(parse(&endless).unwrap_err(), Fault::Unsupported);
    }
}
