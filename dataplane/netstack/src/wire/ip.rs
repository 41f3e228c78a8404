//! Addresses of both families in one form, and what the two IP headers have in common.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::checksum::Sum;

pub const PROTOCOL_ICMP: u8 = 1;
pub const PROTOCOL_TCP: u8 = 6;
pub const PROTOCOL_ICMPV6: u8 = 58;

/// An IPv6 address, or an IPv4 address mapped into one (::ffff:a.b.c.d).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(pub [u8; 16]);

impl Address {
    pub fn v4(octets: [u8; 4]) -> Address {
        let mut bytes = [0; 16];
        bytes[10] = 0xff;
        bytes[11] = 0xff;
        bytes[12..].copy_from_slice(&octets);
        Address(bytes)
    }

    pub fn is_v4(&self) -> bool {
        self.0[..10] == [0; 10] && self.0[10] == 0xff && self.0[11] == 0xff
    }

    /// The four octets; meaningful only where [`Address::is_v4`].
    pub fn octets(&self) -> [u8; 4] {
        [self.0[12], self.0[13], self.0[14], self.0[15]]
    }

    pub fn to_ip(self) -> IpAddr {
        if self.is_v4() {
            IpAddr::V4(Ipv4Addr::from(self.octets()))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.0))
        }
    }

    /// Whether it can name one peer: not unspecified, loopback, group or broadcast.
    pub fn is_unicast(&self) -> bool {
        match self.to_ip() {
            IpAddr::V4(v4) => {
                let first = v4.octets()[0];
                first != 0 && first != 127 && first < 224
            }
            IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_loopback() && !v6.is_multicast(),
        }
    }

    /// Whether the first `length` bits (of the family's own form) agree.
    pub fn shares_prefix(&self, other: Address, length: u8) -> bool {
        if self.is_v4() != other.is_v4() {
            return false;
        }
        let skipped = if self.is_v4() { 96 } else { 0 };
        let bits = (skipped + u32::from(length)).min(128);
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
        (u128::from_be_bytes(self.0) ^ u128::from_be_bytes(other.0)) & mask == 0
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(v4) => Address::v4(v4.octets()),
            IpAddr::V6(v6) => Address(v6.octets()),
        }
    }
}

/// A packet of either family, its header checked.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub source: Address,
    pub destination: Address,
    pub protocol: u8,
    pub payload: &'a [u8],
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A length, version or checksum that cannot be.
    Malformed,
    /// A fragment; senders of TCP find the path's MTU instead.
    Fragment,
    /// An option or extension header that is not served.
    Unsupported,
}

/// The sum of the pseudo-header that TCP and ICMPv6 put before their own bytes.
pub fn pseudo_header(source: Address, destination: Address, protocol: u8, length: usize) -> Sum {
    let sum = if source.is_v4() {
        Sum::default()
            .bytes(&source.octets())
            .bytes(&destination.octets())
    } else {
        Sum::default().bytes(&source.0).bytes(&destination.0)
    };
    sum.word(u16::from(protocol))
        .word((length >> 16) as u16)
        .word(length as u16)
}

/// Bytes of the IP header that [`write`] makes for this family.
pub fn header_bytes(v4: bool) -> usize {
    if v4 {
        super::ipv4::HEADER
    } else {
        super::ipv6::HEADER
    }
}

/// Writes the header of either family in front of `length` bytes; returns the header's length.
pub fn write(
    out: &mut [u8],
    source: Address,
    destination: Address,
    protocol: u8,
    length: usize,
    identification: u16,
) -> usize {
    if source.is_v4() {
        let (from, to) = (source.octets(), destination.octets());
        super::ipv4::write(out, from, to, protocol, length, identification)
    } else {
        super::ipv6::write(out, source.0, destination.0, protocol, length, 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_count_bits_of_their_own_family() {
        let a = Address::v4([10, 0, 0, 1]);
        assert!(a.shares_prefix(Address::v4([10, 0, 0, 200]), 24));
        assert!(!a.shares_prefix(Address::v4([10, 0, 1, 1]), 24));
        assert!(a.shares_prefix(Address::v4([99, 9, 9, 9]), 0));
        let v6 = Address::from("fd00::1".parse::<IpAddr>().unwrap());
        assert!(v6.shares_prefix(Address::from("fd00::2:1".parse::<IpAddr>().unwrap()), 64));
        assert!(!v6.shares_prefix(Address::from("fd01::1".parse::<IpAddr>().unwrap()), 16));
        assert!(!v6.shares_prefix(a, 0));
    }
}
