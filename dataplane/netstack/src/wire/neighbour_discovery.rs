//! Neighbour solicitation and advertisement (RFC 4861).

use super::ethernet::Mac;
use super::ip::{Address, PROTOCOL_ICMPV6, pseudo_header};
use super::put16;

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;

/// Bytes of a message that [`write_solicitation`] or [`write_advertisement`] makes.
pub const MESSAGE: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// Who has `target`? Asked by the owner of `source_mac`, where it tells.
    Solicitation {
        target: Address,
        source_mac: Option<Mac>,
    },
    /// `target` is at `mac`.
    Advertisement {
        target: Address,
        mac: Mac,
        solicited: bool,
        replaces: bool,
    },
}

/// Parses a message whose checksum was checked. `hop_limit` 255 proves that it comes from the link
/// itself (RFC 4861, 7.1).
pub fn parse(bytes: &[u8], hop_limit: u8) -> Option<Discovery> {
    if hop_limit != 255 || bytes.len() < 24 || bytes[1] != 0 {
        return None;
    }
    let target = Address(bytes[8..24].try_into().ok()?);
    if !target.is_unicast() || target.is_v4() {
        return None;
    }
    match bytes[0] {
        SOLICITATION => Some(Discovery::Solicitation {
            target,
            source_mac: link_address(&bytes[24..], SOURCE_LINK_ADDRESS)?,
        }),
        ADVERTISEMENT => Some(Discovery::Advertisement {
            target,
            mac: link_address(&bytes[24..], TARGET_LINK_ADDRESS)??,
            solicited: bytes[4] & 0x40 != 0,
            replaces: bytes[4] & 0x20 != 0,
        }),
        _ => None,
    }
}

/// The link-layer address among the options; None outside where an option's length is wrong.
fn link_address(mut options: &[u8], kind: u8) -> Option<Option<Mac>> {
    while !options.is_empty() {
        if options.len() < 8 {
            return None;
        }
        let length = usize::from(options[1]) * 8;
        if length == 0 || options.len() < length {
            return None;
        }
        if options[0] == kind && length == 8 {
            return Some(Some(options[2..8].try_into().ok()?));
        }
        options = &options[length..];
    }
    Some(None)
}

/// The group that the owner of `target` listens to, and the hardware address that carries it.
pub fn solicited_group(target: Address) -> (Address, Mac) {
    let tail = [target.0[13], target.0[14], target.0[15]];
    let mut group = [0; 16];
    group[..2].copy_from_slice(&[0xff, 0x02]);
    group[11..13].copy_from_slice(&[1, 0xff]);
    group[13..].copy_from_slice(&tail);
    (
        Address(group),
        [0x33, 0x33, 0xff, tail[0], tail[1], tail[2]],
    )
}

/// Everybody on the link (RFC 4291, 2.7.1).
pub fn all_nodes() -> (Address, Mac) {
    let mut group = [0; 16];
    (group[0], group[1], group[15]) = (0xff, 0x02, 1);
    (Address(group), [0x33, 0x33, 0, 0, 0, 1])
}

pub fn write_solicitation(out: &mut [u8], from: Address, to: Address, target: Address, mac: Mac) {
    out[..MESSAGE].fill(0);
    out[0] = SOLICITATION;
    out[24..26].copy_from_slice(&[SOURCE_LINK_ADDRESS, 1]);
    finish(out, from, to, target, mac);
}

pub fn write_advertisement(
    out: &mut [u8],
    from: Address,
    to: Address,
    target: Address,
    mac: Mac,
    solicited: bool,
) {
    out[..MESSAGE].fill(0);
    out[0] = ADVERTISEMENT;
    out[4] = 0x20 | if solicited { 0x40 } else { 0 };
    out[24..26].copy_from_slice(&[TARGET_LINK_ADDRESS, 1]);
    finish(out, from, to, target, mac);
}

fn finish(out: &mut [u8], from: Address, to: Address, target: Address, mac: Mac) {
    out[8..24].copy_from_slice(&target.0);
    out[26..32].copy_from_slice(&mac);
    let sum = pseudo_header(from, to, PROTOCOL_ICMPV6, MESSAGE).bytes(&out[..MESSAGE]);
    let checksum = sum.finish();
    put16(out, 2, checksum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_and_distant_or_torn_ones_do_not() {
        let target = Address([0xfd; 16]);
        let mac = [2, 0, 0, 0, 0, 9];
        let mut bytes = [0; MESSAGE];
        write_advertisement(&mut bytes, target, target, target, mac, true);
        let expected = Discovery::Advertisement {
            target,
            mac,
            solicited: true,
            replaces: true,
        };
        assert_eq!(parse(&bytes, 255), Some(expected));
        assert_eq!(parse(&bytes, 254), None);
        bytes[25] = 0;
        assert_eq!(parse(&bytes, 255), None, "an option of no length");
        assert_eq!(parse(&bytes[..23], 255), None);
    }
}
