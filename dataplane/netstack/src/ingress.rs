//! From a frame to a segment: Ethernet, ARP, IP, ICMP and neighbour discovery.

use crate::config::Nanos;
use crate::sequence::{at_least, before};
use crate::stack::Stack;
use crate::tcp::State;
use crate::wire::ethernet::{self, BROADCAST, Ethernet, Mac};
use crate::wire::icmp::{self, Cause, Message};
use crate::wire::ip::{self, Address, Fault, Packet};
use crate::wire::neighbour_discovery::{self as discovery, Discovery};
use crate::wire::{arp, ipv4, ipv6};

/// Multicast groups of IPv6 begin so on Ethernet.
const GROUP_V6: [u8; 2] = [0x33, 0x33];

impl Stack {
    /// Takes one received frame. Nothing is sent before [`Stack::transmit`].
    pub fn receive(&mut self, frame: &[u8], now: Nanos) {
        let now = self.clock(now);
        self.statistics.frames_received += 1;
        let Some(ethernet) = ethernet::parse(frame) else {
            self.statistics.frames_malformed += 1;
            return;
        };
        let ours = ethernet.destination == self.config.mac
            || ethernet.destination == BROADCAST
            || ethernet.destination[..2] == GROUP_V6;
        if !ours || ethernet.vlan != self.config.vlan || ethernet::is_group(ethernet.source) {
            self.statistics.frames_foreign += 1;
            return;
        }
        match ethernet.kind {
            ethernet::ARP => self.take_arp(&ethernet, now),
            ethernet::IPV4 => match ipv4::parse(ethernet.payload) {
                Ok(packet) => self.take_packet(&ethernet, &packet, 0, now),
                Err(fault) => self.count_fault(fault),
            },
            ethernet::IPV6 => match ipv6::parse(ethernet.payload) {
                Ok((packet, hops)) => self.take_packet(&ethernet, &packet, hops, now),
                Err(fault) => self.count_fault(fault),
            },
            _ => self.statistics.frames_foreign += 1,
        }
    }

    fn count_fault(&mut self, fault: Fault) {
        match fault {
            Fault::Malformed => self.statistics.frames_malformed += 1,
            Fault::Fragment => self.statistics.fragments_refused += 1,
            Fault::Unsupported => self.statistics.frames_foreign += 1,
        }
    }

    fn take_arp(&mut self, ethernet: &Ethernet<'_>, now: Nanos) {
        let Some(arp) = arp::parse(ethernet.payload) else {
            self.statistics.frames_malformed += 1;
            return;
        };
        let sender = Address::v4(arp.sender);
        let target = Address::v4(arp.target);
        let for_us = self.local_index(target).is_some();
        let sound = sender.is_unicast()
            && !ethernet::is_group(arp.sender_mac)
            && self.local_index(sender).is_none();
        if sound && self.is_on_link(sender) {
            // RFC 826: known senders are updated, new ones noted only when they ask for us.
            if for_us && arp.operation == arp::REQUEST {
                self.neighbours.insert(sender, arp.sender_mac, now);
            } else {
                self.neighbours.learn(sender, arp.sender_mac, now);
            }
            self.unpark();
        }
        // A probe (RFC 5227) has no sender's address and is answered all the same.
        if for_us && arp.operation == arp::REQUEST && (sound || arp.sender == [0; 4]) {
            self.send_arp(arp::REPLY, target, sender, arp.sender_mac, arp.sender_mac);
        }
    }

    fn send_arp(&mut self, operation: u16, from: Address, to: Address, target_mac: Mac, link: Mac) {
        let mac = self.config.mac;
        let packet = arp::Arp {
            operation,
            sender_mac: mac,
            sender: from.octets(),
            target_mac,
            target: to.octets(),
        };
        self.push_reply(link, ethernet::ARP, arp::PACKET, |out| {
            arp::write(out, &packet);
        });
    }

    /// Queues a frame with `length` bytes behind the Ethernet header.
    pub(crate) fn push_reply(
        &mut self,
        destination: Mac,
        kind: u16,
        length: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let (mac, vlan) = (self.config.mac, self.config.vlan);
        let queued = self.replies.push(|frame| {
            frame.resize(ethernet::HEADER_MAX + length, 0);
            let header = ethernet::write(frame, destination, mac, vlan, kind);
            frame.truncate(header + length);
            write(&mut frame[header..]);
        });
        self.statistics.replies_dropped += u64::from(!queued);
    }

    fn take_packet(&mut self, ethernet: &Ethernet<'_>, packet: &Packet<'_>, hops: u8, now: Nanos) {
        let Some(local) = self.local_index(packet.destination) else {
            if packet.protocol == ip::PROTOCOL_ICMPV6 {
                self.take_icmp(ethernet, packet, hops, now);
            } else {
                self.statistics.frames_foreign += 1;
            }
            return;
        };
        if !packet.source.is_unicast() || self.local_index(packet.source).is_some() {
            self.statistics.frames_foreign += 1;
            return;
        }
        match (packet.protocol, packet.source.is_v4()) {
            (ip::PROTOCOL_TCP, _) if !ethernet::is_group(ethernet.destination) => {
                self.take_segment(packet, local, ethernet.source, now);
            }
            (ip::PROTOCOL_ICMP, true) | (ip::PROTOCOL_ICMPV6, false) => {
                self.take_icmp(ethernet, packet, hops, now);
            }
            _ => self.statistics.frames_foreign += 1,
        }
    }

    fn take_icmp(&mut self, ethernet: &Ethernet<'_>, packet: &Packet<'_>, hops: u8, now: Nanos) {
        let message = if packet.source.is_v4() {
            icmp::parse_v4(packet)
        } else {
            icmp::parse_v6(packet)
        };
        match message {
            Message::EchoRequest => self.answer_echo(ethernet, packet, now),
            Message::Error(error) => self.take_error(&error, now),
            Message::Neighbour => self.take_discovery(ethernet, packet, hops, now),
            Message::Other => self.statistics.frames_foreign += 1,
            Message::Malformed => self.statistics.frames_malformed += 1,
        }
    }

    fn answer_echo(&mut self, ethernet: &Ethernet<'_>, packet: &Packet<'_>, now: Nanos) {
        let fits = packet.payload.len() <= icmp::ECHO_MAX.min(self.config.mtu.saturating_sub(40));
        let alone = !ethernet::is_group(ethernet.destination);
        if !alone || !fits || self.local_index(packet.destination).is_none() {
            self.statistics.frames_foreign += 1;
            return;
        }
        if !self.replies.allow(now) {
            self.statistics.replies_dropped += 1;
            return;
        }
        self.statistics.echo_replies += 1;
        let (from, to) = (packet.destination, packet.source);
        self.push_ip_reply(
            ethernet.source,
            from,
            to,
            packet.protocol,
            64,
            packet.payload.len(),
            {
                |out: &mut [u8]| {
                    out.copy_from_slice(packet.payload);
                    icmp::make_echo_reply(out, packet);
                }
            },
        );
    }

    /// Queues an IP packet with `length` bytes of payload.
    #[expect(clippy::too_many_arguments, reason = "the fields of a header")]
    pub(crate) fn push_ip_reply(
        &mut self,
        destination: Mac,
        from: Address,
        to: Address,
        protocol: u8,
        hop_limit: u8,
        length: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let kind = if from.is_v4() {
            ethernet::IPV4
        } else {
            ethernet::IPV6
        };
        let header = ip::header_bytes(from.is_v4());
        self.identification = self.identification.wrapping_add(1);
        let identification = self.identification;
        self.push_reply(destination, kind, header + length, |out| {
            ip::write(out, from, to, protocol, length, identification);
            if !from.is_v4() {
                out[7] = hop_limit;
            }
            write(&mut out[header..]);
        });
    }

    fn take_discovery(
        &mut self,
        ethernet: &Ethernet<'_>,
        packet: &Packet<'_>,
        hops: u8,
        now: Nanos,
    ) {
        match discovery::parse(packet.payload, hops) {
            Some(Discovery::Solicitation { target, source_mac }) => {
                if self.local_index(target).is_none() {
                    return;
                }
                let asker = packet.source;
                let known = asker.is_unicast();
                if let (true, Some(mac)) = (known, source_mac)
                    && !ethernet::is_group(mac)
                    && self.is_on_link(asker)
                {
                    self.neighbours.insert(asker, mac, now);
                    self.unpark();
                }
                // Somebody without an address asks whether this one is taken: tell all nodes.
                let all_nodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
                let (to, link) = if known {
                    (asker, ethernet.source)
                } else {
                    (Address(all_nodes), [0x33, 0x33, 0, 0, 0, 1])
                };
                let mac = self.config.mac;
                let length = discovery::MESSAGE;
                let protocol = ip::PROTOCOL_ICMPV6;
                self.push_ip_reply(link, target, to, protocol, 255, length, |out| {
                    discovery::write_advertisement(out, target, to, target, mac, known);
                });
            }
            Some(Discovery::Advertisement { target, mac, .. }) => {
                if self.local_index(target).is_none() && !ethernet::is_group(mac) {
                    self.neighbours.learn(target, mac, now);
                    self.unpark();
                }
            }
            None => self.statistics.frames_malformed += 1,
        }
    }

    /// An ICMP error counts only when it quotes a segment that is in flight (RFC 5927, 4.1): who
    /// does not see the connection cannot forge it.
    fn take_error(&mut self, error: &icmp::Error, now: Nanos) {
        let Some(local) = self.local_index(error.local) else {
            return;
        };
        let key = crate::table::Key {
            remote: error.remote,
            remote_port: error.remote_port,
            local_port: error.local_port,
            local,
        };
        let Some(slot) = self.find_connection(&key) else {
            return;
        };
        let connection = &self.connections[slot];
        let in_flight = at_least(error.sequence, connection.send_unacknowledged)
            && before(error.sequence, connection.send_next);
        if !in_flight {
            return;
        }
        match error.cause {
            Cause::TooBig(mtu) => self.lower_path_mtu(slot, mtu, now),
            // Hard errors end what is not yet established; later they may be forged or pass
            // (RFC 5461; RFC 9293, 3.9.2.2).
            Cause::Refused if connection.state == State::SynSent => self.fail(slot),
            Cause::Refused | Cause::Unreachable => {}
        }
    }

    pub(crate) fn local_index(&self, address: Address) -> Option<u8> {
        let found = self.addresses.iter().position(|(own, _)| *own == address);
        found.map(|index| index as u8)
    }

    pub(crate) fn is_on_link(&self, address: Address) -> bool {
        let shares = |(own, prefix): &(Address, u8)| own.shares_prefix(address, *prefix);
        self.addresses.iter().any(shares)
    }

    /// Asks who has `address`: everybody, or `known` whether it still has.
    /// Tells the network which hardware address has our addresses, so that neighbours which knew
    /// another forget it: after a move or a restart (RFC 5227, 2.3; RFC 4861, 7.2.6). Nothing is
    /// sent before [`Stack::transmit`].
    pub fn announce(&mut self) {
        for index in 0..self.addresses.len() {
            let (own, _) = self.addresses[index];
            if own.is_v4() {
                self.send_arp(arp::REQUEST, own, own, [0; 6], BROADCAST);
                continue;
            }
            let mac = self.config.mac;
            let (group, link) = discovery::all_nodes();
            let length = discovery::MESSAGE;
            self.push_ip_reply(link, own, group, ip::PROTOCOL_ICMPV6, 255, length, |out| {
                discovery::write_advertisement(out, own, group, own, mac, false);
            });
        }
    }

    pub(crate) fn ask_neighbour(&mut self, address: Address, known: Option<Mac>) {
        let same_family = |(own, _): &&(Address, u8)| own.is_v4() == address.is_v4();
        let fitting = |(own, prefix): &&(Address, u8)| own.shares_prefix(address, *prefix);
        let own = self.addresses.iter().find(fitting);
        let Some((from, _)) = own.or(self.addresses.iter().find(same_family)).copied() else {
            return;
        };
        if address.is_v4() {
            let link = known.unwrap_or(BROADCAST);
            self.send_arp(arp::REQUEST, from, address, [0; 6], link);
            return;
        }
        let (to, link) = match known {
            Some(mac) => (address, mac),
            None => discovery::solicited_group(address),
        };
        let mac = self.config.mac;
        let length = discovery::MESSAGE;
        self.push_ip_reply(link, from, to, ip::PROTOCOL_ICMPV6, 255, length, |out| {
            discovery::write_solicitation(out, from, to, address, mac);
        });
    }

    /// A neighbour answered: who waited tries again.
    fn unpark(&mut self) {
        while let Some((slot, generation)) = self.parked.pop_front() {
            if self.connections[slot as usize].generation == generation {
                self.ready.push(slot);
            }
        }
    }
}
