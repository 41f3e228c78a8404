//! Which frames are taken from the kernel, as a program that runs on each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::AfXdpError;
use crate::instructions::{Assembler, Instruction, Label, Load, Register};

const ADDRESSES_MAX: usize = 16;
const PORTS_MAX: usize = 64;

/// What the netstack gets: TCP to any of `ports` at any of `addresses`, and for these addresses ARP,
/// neighbour discovery and ICMP. Everything else passes to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// 1 to 16 addresses that the netstack owns; the kernel must not have them on the interface.
    pub addresses: Vec<IpAddr>,
    /// 1 to 64 TCP ports.
    pub ports: Vec<u16>,
    /// Only frames tagged with this VLAN; `None` means untagged ones, or with a priority alone.
    pub vlan: Option<u16>,
}

/// What the program answers for a frame that is ours.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Into the socket of its queue in the map with this descriptor.
    Sockets(i32),
    /// This verdict, so that a test sees it without sockets.
    #[cfg(test)]
    Verdict(i32),
}

const XDP_PASS: i32 = 2;
const HELPER_REDIRECT_MAP: i32 = 51;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const PROTOCOL_ICMP: u32 = 1;
const PROTOCOL_TCP: u32 = 6;
const PROTOCOL_ICMPV6: u32 = 58;

/// Carries the verdict, the helper's answer, and where a header ends.
const R0: Register = Register(0);
const R1: Register = Register(1);
const R2: Register = Register(2);
const R3: Register = Register(3);
/// Where the frame ends.
const END: Register = R3;
/// The header that is looked at.
const HEADER: Register = Register(4);
/// The field that is looked at.
const FIELD: Register = Register(5);
const CONTEXT: Register = Register(6);

/// How a field that stands in network order looks when it is loaded as a number.
const fn half(value: u16) -> u32 {
    value.to_be() as u32
}

fn words(address: Ipv6Addr) -> [u32; 4] {
    let bytes = address.octets();
    [0, 4, 8, 12]
        .map(|at| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
}

/// Where neighbours ask for an address (RFC 4291, 2.7.1).
pub(crate) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let last = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (last[6] & 0xff), last[7])
}

impl Redirection {
    pub(crate) fn check(&self) -> Result<(), AfXdpError> {
        if self.addresses.is_empty() || self.addresses.len() > ADDRESSES_MAX {
            return Err(AfXdpError::Options(
                "AF_XDP takes traffic for 1 to 16 addresses",
            ));
        }
        if self.ports.is_empty() || self.ports.len() > PORTS_MAX || self.ports.contains(&0) {
            return Err(AfXdpError::Options(
                "AF_XDP takes traffic for 1 to 64 TCP ports, none of them 0",
            ));
        }
        if self.vlan.is_some_and(|vlan| vlan == 0 || vlan > 4094) {
            return Err(AfXdpError::Options("a VLAN has a number from 1 to 4094"));
        }
        Ok(())
    }

    fn v4(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addresses.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    pub(crate) fn v6(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.addresses.iter().filter_map(|address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(*address),
        })
    }

    /// The program for these rules.
    pub(crate) fn program(&self, target: Target) -> Vec<Instruction> {
        let mut assembler = Assembler::default();
        let labels = Labels {
            pass: assembler.label(),
            ours: assembler.label(),
            tcp: assembler.label(),
        };
        // The verifier refuses instructions that nothing leads to.
        let has_v4 = self.v4().next().is_some();
        let has_v6 = self.v6().next().is_some();
        let (arp, ipv4, ipv6) = (assembler.label(), assembler.label(), assembler.label());
        self.ethernet(&mut assembler, labels.pass);
        if has_v4 {
            assembler.jump_if_equal(FIELD, half(ETHERTYPE_IPV4), ipv4);
            assembler.jump_if_equal(FIELD, half(ETHERTYPE_ARP), arp);
        }
        if has_v6 {
            assembler.jump_if_equal(FIELD, half(ETHERTYPE_IPV6), ipv6);
        }
        assembler.place(labels.pass);
        assembler.set(R0, XDP_PASS);
        assembler.exit();
        if has_v4 {
            assembler.place(arp);
            self.arp(&mut assembler, labels);
            assembler.place(ipv4);
            self.ipv4(&mut assembler, labels);
        }
        if has_v6 {
            assembler.place(ipv6);
            self.ipv6(&mut assembler, labels);
        }
        assembler.place(labels.tcp);
        self.tcp(&mut assembler, labels);
        assembler.place(labels.ours);
        redirect(&mut assembler, target);
        assembler.finish()
    }

    /// Leaves the network header in `HEADER` and its type in `FIELD`.
    fn ethernet(&self, assembler: &mut Assembler, pass: Label) {
        let (tagged, network) = (assembler.label(), assembler.label());
        assembler.copy(CONTEXT, R1);
        assembler.load(Load::Word, R2, R1, 0);
        assembler.load(Load::Word, END, R1, 4);
        assembler.copy(HEADER, R2);
        assembler.add(HEADER, 14);
        assembler.jump_if_above(HEADER, END, pass);
        assembler.load(Load::Half, FIELD, R2, 12);
        assembler.jump_if_equal(FIELD, half(ETHERTYPE_VLAN), tagged);
        assembler.jump(if self.vlan.is_some() { pass } else { network });
        assembler.place(tagged);
        within_frame(assembler, 4, pass);
        assembler.load(Load::Half, FIELD, HEADER, 0);
        assembler.and(FIELD, half(0x0fff).cast_signed());
        let vlan = self.vlan.unwrap_or(0);
        assembler.jump_if_not_equal(FIELD, half(vlan), pass);
        assembler.load(Load::Half, FIELD, HEADER, 2);
        assembler.add(HEADER, 4);
        assembler.place(network);
    }

    /// Requests for our addresses and answers to us carry one of them as the target.
    fn arp(&self, assembler: &mut Assembler, labels: Labels) {
        within_frame(assembler, 28, labels.pass);
        assembler.load(Load::Word, FIELD, HEADER, 24);
        for address in self.v4() {
            let word = u32::from_ne_bytes(address.octets());
            assembler.jump_if_equal(FIELD, word, labels.ours);
        }
        assembler.jump(labels.pass);
    }

    fn ipv4(&self, assembler: &mut Assembler, labels: Labels) {
        let addressed = assembler.label();
        within_frame(assembler, 20, labels.pass);
        assembler.load(Load::Word, FIELD, HEADER, 16);
        for address in self.v4() {
            let word = u32::from_ne_bytes(address.octets());
            assembler.jump_if_equal(FIELD, word, addressed);
        }
        assembler.jump(labels.pass);
        assembler.place(addressed);
        // A later fragment has no ports.
        assembler.load(Load::Half, FIELD, HEADER, 6);
        assembler.and(FIELD, half(0x1fff).cast_signed());
        assembler.jump_if_not_equal(FIELD, 0, labels.pass);
        assembler.load(Load::Byte, FIELD, HEADER, 9);
        assembler.jump_if_equal(FIELD, PROTOCOL_ICMP, labels.ours);
        assembler.jump_if_not_equal(FIELD, PROTOCOL_TCP, labels.pass);
        // The header's length is in words of four bytes, in the low half of its first byte.
        assembler.load(Load::Byte, FIELD, HEADER, 0);
        assembler.and(FIELD, 0x0f);
        assembler.jump_if_below(FIELD, 5, labels.pass);
        assembler.shift_left(FIELD, 2);
        assembler.add_register(HEADER, FIELD);
        assembler.jump(labels.tcp);
    }

    fn ipv6(&self, assembler: &mut Assembler, labels: Labels) {
        let (addressed, multicast) = (assembler.label(), assembler.label());
        within_frame(assembler, 40, labels.pass);
        for address in self.v6() {
            jump_if_destined(assembler, address, addressed);
        }
        for address in self.v6() {
            jump_if_destined(assembler, solicited_node(address), multicast);
        }
        assembler.jump(labels.pass);
        assembler.place(addressed);
        // Behind extension headers nothing is looked for: clients do not send them.
        let other = assembler.label();
        assembler.load(Load::Byte, FIELD, HEADER, 6);
        assembler.jump_if_equal(FIELD, PROTOCOL_ICMPV6, labels.ours);
        assembler.jump_if_not_equal(FIELD, PROTOCOL_TCP, other);
        assembler.add(HEADER, 40);
        assembler.jump(labels.tcp);
        assembler.place(multicast);
        assembler.load(Load::Byte, FIELD, HEADER, 6);
        assembler.jump_if_equal(FIELD, PROTOCOL_ICMPV6, labels.ours);
        assembler.place(other);
        assembler.jump(labels.pass);
    }

    fn tcp(&self, assembler: &mut Assembler, labels: Labels) {
        within_frame(assembler, 4, labels.pass);
        assembler.load(Load::Half, FIELD, HEADER, 2);
        for port in &self.ports {
            assembler.jump_if_equal(FIELD, half(*port), labels.ours);
        }
        assembler.jump(labels.pass);
    }
}

/// Where a frame's fate is decided.
#[derive(Clone, Copy)]
struct Labels {
    pass: Label,
    ours: Label,
    tcp: Label,
}

/// Goes on only if `bytes` from `HEADER` on are within the frame.
fn within_frame(assembler: &mut Assembler, bytes: i32, pass: Label) {
    assembler.copy(R0, HEADER);
    assembler.add(R0, bytes);
    assembler.jump_if_above(R0, END, pass);
}

fn jump_if_destined(assembler: &mut Assembler, address: Ipv6Addr, to: Label) {
    let next = assembler.label();
    for (offset, word) in [24, 28, 32].into_iter().zip(words(address)) {
        assembler.load(Load::Word, FIELD, HEADER, offset);
        assembler.jump_if_not_equal(FIELD, word, next);
    }
    assembler.load(Load::Word, FIELD, HEADER, 36);
    assembler.jump_if_equal(FIELD, words(address)[3], to);
    assembler.place(next);
}

/// A queue without a socket passes its frames to the kernel.
fn redirect(assembler: &mut Assembler, target: Target) {
    match target {
        Target::Sockets(map) => {
            const RECEIVE_QUEUE: i16 = 16;
            assembler.set_map(R1, map);
            assembler.load(Load::Word, R2, CONTEXT, RECEIVE_QUEUE);
            assembler.set(R3, XDP_PASS);
            assembler.call(HELPER_REDIRECT_MAP);
        }
        #[cfg(test)]
        Target::Verdict(verdict) => assembler.set(R0, verdict),
    }
    assembler.exit();
}

#[cfg(test)]
mod tests;
