//! Ethernet II frames, with at most one VLAN tag (802.1Q).

use super::{be16, put16};

pub const ARP: u16 = 0x0806;
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;

/// Longest header that [`write`] makes, in bytes.
pub const HEADER_MAX: usize = 18;
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// A hardware address.
pub type Mac = [u8; 6];

/// A frame as received.
#[derive(Clone, Copy, Debug)]
pub struct Ethernet<'a> {
    pub destination: Mac,
    pub source: Mac,
    /// The VLAN's number, where the frame is tagged with one other than 0.
    pub vlan: Option<u16>,
    pub kind: u16,
    pub payload: &'a [u8],
}

/// None for frames that are too short, or of 802.3's own kind (a length where the type is).
pub fn parse(frame: &[u8]) -> Option<Ethernet<'_>> {
    if frame.len() < 14 {
        return None;
    }
    let mut vlan = None;
    let mut kind = be16(frame, 12);
    let mut header = 14;
    if kind == VLAN {
        if frame.len() < 18 {
            return None;
        }
        // Number 0 is a priority tag only: the frame belongs to no VLAN.
        vlan = Some(be16(frame, 14) & 0x0fff).filter(|id| *id != 0);
        kind = be16(frame, 16);
        header = 18;
    }
    if kind < 0x0600 {
        return None;
    }
    Some(Ethernet {
        destination: frame[0..6].try_into().ok()?,
        source: frame[6..12].try_into().ok()?,
        vlan,
        kind,
        payload: &frame[header..],
    })
}

/// Writes a header and returns its length: 14, or 18 with a VLAN.
pub fn write(out: &mut [u8], destination: Mac, source: Mac, vlan: Option<u16>, kind: u16) -> usize {
    out[0..6].copy_from_slice(&destination);
    out[6..12].copy_from_slice(&source);
    match vlan {
        None => {
            put16(out, 12, kind);
            14
        }
        Some(id) => {
            put16(out, 12, VLAN);
            put16(out, 14, id & 0x0fff);
            put16(out, 16, kind);
            18
        }
    }
}

/// Whether frames to `mac` are for more than one station.
pub fn is_group(mac: Mac) -> bool {
    mac[0] & 1 == 1
}
