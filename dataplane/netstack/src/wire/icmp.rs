//! ICMP of both families: echo, and the errors that concern a connection.

use super::checksum::Sum;
use super::ip::{Address, PROTOCOL_TCP, Packet, pseudo_header};
use super::{be16, be32, put16};

/// Largest echo that is answered, in bytes with the ICMP header.
pub const ECHO_MAX: usize = 1480;

/// What an ICMP message means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    EchoRequest,
    /// A packet of ours did not arrive.
    Error(Error),
    /// Neighbour discovery (ICMPv6 133–137), for [`super::neighbour_discovery`].
    Neighbour,
    /// Anything else.
    Other,
    Malformed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    pub cause: Cause,
    pub local: Address,
    pub remote: Address,
    pub local_port: u16,
    pub remote_port: u16,
    /// Of the segment that did not arrive.
    pub sequence: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The packet was too big; the next hop takes this many bytes (0: it did not say).
    TooBig(u32),
    /// The peer's host or port refuses, or the way is forbidden: hard for a connection that is not
    /// yet established (RFC 5461).
    Refused,
    /// Anything that may pass: the network or host is unreachable now.
    Unreachable,
}

pub fn parse_v4(packet: &Packet<'_>) -> Message {
    let bytes = packet.payload;
    if bytes.len() < 8 || Sum::default().bytes(bytes).finish() != 0 {
        return Message::Malformed;
    }
    let cause = match (bytes[0], bytes[1]) {
        (8, 0) => return Message::EchoRequest,
        (3, 4) => Cause::TooBig(u32::from(be16(bytes, 6))),
        (3, 2 | 3 | 9 | 10 | 13) => Cause::Refused,
        (3, _) | (11, _) => Cause::Unreachable,
        _ => return Message::Other,
    };
    match embedded_v4(&bytes[8..]) {
        Some((local, remote, tcp)) => error(cause, local, remote, tcp),
        None => Message::Other,
    }
}

pub fn parse_v6(packet: &Packet<'_>) -> Message {
    let bytes = packet.payload;
    let pseudo = pseudo_header(
        packet.source,
        packet.destination,
        packet.protocol,
        bytes.len(),
    );
    if bytes.len() < 8 || pseudo.bytes(bytes).finish() != 0 {
        return Message::Malformed;
    }
    let cause = match (bytes[0], bytes[1]) {
        (128, 0) => return Message::EchoRequest,
        (133..=137, 0) => return Message::Neighbour,
        (2, _) => Cause::TooBig(be32(bytes, 4)),
        (1, 1 | 4) => Cause::Refused,
        (1, _) | (3, _) => Cause::Unreachable,
        _ => return Message::Other,
    };
    match embedded_v6(&bytes[8..]) {
        Some((local, remote, tcp)) => error(cause, local, remote, tcp),
        None => Message::Other,
    }
}

fn error(cause: Cause, local: Address, remote: Address, tcp: &[u8]) -> Message {
    Message::Error(Error {
        cause,
        local,
        remote,
        local_port: be16(tcp, 0),
        remote_port: be16(tcp, 2),
        sequence: be32(tcp, 4),
    })
}

/// The packet of ours that an error quotes: its addresses and at least 8 bytes of TCP. The quoted
/// header may be cut behind those 8 bytes, and its checksum may be spoilt on the way.
fn embedded_v4(bytes: &[u8]) -> Option<(Address, Address, &[u8])> {
    let header = usize::from(bytes.first()? & 0x0f) * 4;
    if bytes[0] >> 4 != 4 || header < 20 || bytes.len() < header + 8 || bytes[9] != PROTOCOL_TCP {
        return None;
    }
    let local = Address::v4(bytes[12..16].try_into().ok()?);
    let remote = Address::v4(bytes[16..20].try_into().ok()?);
    Some((local, remote, &bytes[header..]))
}

fn embedded_v6(bytes: &[u8]) -> Option<(Address, Address, &[u8])> {
    if bytes.len() < 48 || bytes[0] >> 4 != 6 || bytes[6] != PROTOCOL_TCP {
        return None;
    }
    let local = Address(bytes[8..24].try_into().ok()?);
    let remote = Address(bytes[24..40].try_into().ok()?);
    Some((local, remote, &bytes[40..]))
}

/// Turns a copy of an echo request into its reply, in place. `packet` is the request.
pub fn make_echo_reply(bytes: &mut [u8], packet: &Packet<'_>) {
    bytes[0] = if packet.source.is_v4() { 0 } else { 129 };
    put16(bytes, 2, 0);
    let sum = if packet.source.is_v4() {
        Sum::default()
    } else {
        let (from, to) = (packet.destination, packet.source);
        pseudo_header(from, to, packet.protocol, bytes.len())
    };
    let checksum = sum.bytes(bytes).finish();
    put16(bytes, 2, checksum);
}
