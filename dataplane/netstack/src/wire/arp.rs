//! ARP for IPv4 over Ethernet (RFC 826).

use super::ethernet::Mac;
use super::{be16, put16};

/// Bytes of a packet.
pub const PACKET: usize = 28;
pub const REQUEST: u16 = 1;
pub const REPLY: u16 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    pub operation: u16,
    pub sender_mac: Mac,
    pub sender: [u8; 4],
    pub target_mac: Mac,
    pub target: [u8; 4],
}

/// None for other hardware, other protocols, and torn packets.
pub fn parse(bytes: &[u8]) -> Option<Arp> {
    if bytes.len() < PACKET
        || be16(bytes, 0) != 1
        || be16(bytes, 2) != super::ethernet::IPV4
        || bytes[4..6] != [6, 4]
    {
        return None;
    }
    Some(Arp {
        operation: be16(bytes, 6),
        sender_mac: bytes[8..14].try_into().ok()?,
        sender: bytes[14..18].try_into().ok()?,
        target_mac: bytes[18..24].try_into().ok()?,
        target: bytes[24..28].try_into().ok()?,
    })
}

pub fn write(out: &mut [u8], arp: &Arp) -> usize {
    put16(out, 0, 1);
    put16(out, 2, super::ethernet::IPV4);
    out[4..6].copy_from_slice(&[6, 4]);
    put16(out, 6, arp.operation);
    out[8..14].copy_from_slice(&arp.sender_mac);
    out[14..18].copy_from_slice(&arp.sender);
    out[18..24].copy_from_slice(&arp.target_mac);
    out[24..28].copy_from_slice(&arp.target);
    PACKET
}
