//! Builds the frame of a segment: headers on the stack, payload where it lies.

use std::io::IoSlice;

use super::output::{Kind, Next};
use super::{Flags, Lender};
use crate::config::Nanos;
use crate::stack::{ChecksumOffload, Frame, Stack};
use crate::wire::ethernet::{self, Mac};
use crate::wire::ip;
use crate::wire::tcp::{self, Header, Options, Timestamps};

/// Longest headers: Ethernet with VLAN, IPv6, TCP with all options.
const HEADERS_MAX: usize = ethernet::HEADER_MAX + 40 + 60;
/// Slices of one frame at most, the headers' among them.
const SLICES_MAX: usize = 24;

impl Stack {
    /// Hands a segment to `sink`. Returns how many bytes of payload it had, None where `sink` did
    /// not take it.
    pub(crate) fn emit(
        &mut self,
        slot: usize,
        next: &Next,
        link: Mac,
        now: Nanos,
        lender: &dyn Lender,
        sink: &mut dyn FnMut(&Frame<'_>) -> bool,
    ) -> Option<u32> {
        self.identification = self.identification.wrapping_add(1);
        let (mut header, edge) = match next.kind {
            Kind::Syn => (self.syn_header(slot, now), None),
            _ => {
                let (header, edge) = self.header(slot, next, now);
                (header, Some(edge))
            }
        };
        let connection = &self.connections[slot];
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let (mut count, mut length) = (0, 0);
        if next.length > 0 {
            let active = self.actives.find(connection.active)?;
            let room = &mut slices[1..];
            let queue = &active.send;
            (count, length) = queue.gather(next.sequence, next.length, &self.chunks, lender, room);
        }
        if length < next.length {
            header.flags &= !(tcp::FIN | tcp::PSH);
        }
        let mut headers = [0; HEADERS_MAX];
        let (total, start) = self.write_headers(&mut headers, slot, link, &header, length);
        let segment = connection.segment_bytes();
        let offload = self.config.offloads.transmit_checksum;
        let tcp_length = total - start + length as usize;
        let (local, remote) = (
            self.addresses[usize::from(connection.local)].0,
            connection.remote,
        );
        let pseudo = ip::pseudo_header(local, remote, ip::PROTOCOL_TCP, tcp_length);
        let checksum = if offload {
            pseudo.partial()
        } else {
            let sum = pseudo.bytes(&headers[start..total]);
            let payload = &slices[1..=count];
            payload
                .iter()
                .fold(sum, |sum, slice| sum.bytes(slice))
                .finish()
        };
        tcp::set_checksum(&mut headers[start..total], checksum);
        slices[0] = IoSlice::new(&headers[..total]);
        let frame = Frame {
            slices: &slices[..=count],
            checksum: offload.then_some(ChecksumOffload {
                start: start as u16,
                offset: tcp::CHECKSUM_OFFSET as u16,
            }),
            segment_bytes: if length > segment { segment as u16 } else { 0 },
        };
        if !sink(&frame) {
            return None;
        }
        self.statistics.frames_sent += 1;
        if let Some(edge) = edge {
            self.connections[slot].receive_edge = edge;
        }
        Some(length)
    }

    /// Writes all headers; returns their length and where TCP's begins.
    fn write_headers(
        &self,
        out: &mut [u8; HEADERS_MAX],
        slot: usize,
        link: Mac,
        header: &Header,
        payload: u32,
    ) -> (usize, usize) {
        let connection = &self.connections[slot];
        let (mac, vlan) = (self.config.mac, self.config.vlan);
        let v4 = connection.remote.is_v4();
        let kind = if v4 { ethernet::IPV4 } else { ethernet::IPV6 };
        let at = ethernet::write(out, link, mac, vlan, kind);
        let start = at + ip::header_bytes(v4);
        let end = start + tcp::write(&mut out[start..], header);
        let length = end - start + payload as usize;
        let local = self.addresses[usize::from(connection.local)].0;
        let (remote, protocol) = (connection.remote, ip::PROTOCOL_TCP);
        let identification = self.identification;
        ip::write(
            &mut out[at..],
            local,
            remote,
            protocol,
            length,
            identification,
        );
        (end, start)
    }

    /// The header of a segment of a synchronized connection, and the edge that it offers.
    fn header(&self, slot: usize, next: &Next, now: Nanos) -> (Header, u32) {
        let connection = &self.connections[slot];
        let (window, edge) = self.window_to_offer(slot);
        let mut flags = tcp::ACK;
        if next.fin {
            flags |= tcp::FIN;
        }
        if next.push && next.length > 0 {
            flags |= tcp::PSH;
        }
        let mut options = Options::default();
        if connection.flags.has(Flags::TIMESTAMPS) {
            options.timestamps = Some(Timestamps {
                value: connection.timestamp(now),
                echo: connection.timestamp_recent,
            });
        }
        if next.kind == Kind::Acknowledgment && connection.flags.has(Flags::SACK) {
            self.report_gaps(slot, &mut options);
        }
        let header = Header {
            source_port: connection.local_port,
            destination_port: connection.remote_port,
            sequence: next.sequence,
            acknowledgment: connection.receive_next,
            flags,
            window,
            options,
        };
        (header, edge)
    }

    /// SACK blocks: a duplicate first (RFC 2883), then the most recent runs (RFC 2018).
    fn report_gaps(&self, slot: usize, options: &mut Options) {
        let connection = &self.connections[slot];
        let most = if options.timestamps.is_some() { 3 } else { 4 };
        let duplicate = connection.duplicate;
        if duplicate.start != duplicate.end {
            options.push_sack(duplicate);
        }
        if let Some(active) = self.active(slot) {
            active.receive.report(|block| {
                if options.sack_blocks().len() < most {
                    options.push_sack(block);
                }
            });
        }
    }

    /// Queues a reset for a connection that is about to go.
    pub(crate) fn reset(&mut self, slot: usize) {
        let connection = &self.connections[slot];
        let key = connection.key();
        let known = connection.state == super::State::SynReceived;
        let link = if known {
            Some(connection.link)
        } else {
            self.known_link(slot)
        };
        let header = Header {
            source_port: connection.local_port,
            destination_port: connection.remote_port,
            sequence: connection.send_next,
            acknowledgment: connection.receive_next,
            flags: tcp::RST | tcp::ACK,
            ..Header::default()
        };
        if let Some(link) = link {
            self.statistics.resets_sent += 1;
            self.push_segment(&key, link, &header);
        }
    }
}
