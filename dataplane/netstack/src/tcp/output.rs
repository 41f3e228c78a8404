//! What a connection sends next, and what follows when it left.

use super::acknowledge::set_timer;
use super::congestion;
use super::connection::milliseconds;
use super::{Active, Connection, Flags, Lender, State};
use crate::config::{CongestionControl, MILLISECOND, Nanos, StackConfig};
use crate::neighbour::Way;
use crate::sequence::{distance, later};
use crate::stack::{Frame, PARKED_MAX, Stack};
use crate::wire::ethernet::Mac;
use crate::wire::ip::Address;

/// What kind of segment is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Syn,
    /// Bytes that were never sent.
    New,
    /// The record at this index, again.
    Again(usize),
    /// The end alone.
    Fin,
    /// Asks the peer where it stands: keep-alive and window probes.
    Probe,
    Acknowledgment,
}

/// The next segment, before it has left.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    pub kind: Kind,
    pub sequence: u32,
    pub length: u32,
    pub fin: bool,
    pub push: bool,
}

impl Next {
    fn bare(kind: Kind, sequence: u32) -> Next {
        Next {
            kind,
            sequence,
            length: 0,
            fin: kind == Kind::Fin,
            push: false,
        }
    }
}

impl Stack {
    /// Sends what may leave now. False where something is left: `room` is used up, or `sink` took
    /// no more.
    pub(crate) fn transmit_connection(
        &mut self,
        slot: usize,
        now: Nanos,
        room: &mut usize,
        lender: &dyn Lender,
        sink: &mut dyn FnMut(&Frame<'_>) -> bool,
    ) -> bool {
        if self.connections[slot].state == State::Closed {
            return true;
        }
        self.restart_after_idle(slot, now);
        let Some(mut next) = self.next_segment(slot, now) else {
            return true;
        };
        let Some(link) = self.link_of(slot, now) else {
            return true;
        };
        loop {
            if *room == 0 {
                return false;
            }
            let Some(sent) = self.emit(slot, &next, link, now, lender, sink) else {
                return false;
            };
            *room -= 1;
            self.left(slot, &next, sent, now);
            match self.next_segment(slot, now) {
                Some(following) => next = following,
                None => return true,
            }
        }
    }

    fn restart_after_idle(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        let waits = self
            .actives
            .find(connection.active)
            .is_some_and(|active| active.board.is_empty() && !active.send.is_empty());
        if !waits || connection.data_sent_at == 0 {
            return;
        }
        let silent = milliseconds(now).wrapping_sub(connection.data_sent_at);
        let timeout = connection.retransmission_timeout(&self.config.tcp, false);
        if Nanos::from(silent) * MILLISECOND > timeout {
            congestion::restart(connection, self.config.tcp.initial_window);
        }
    }

    /// The hardware address of the next hop; None where it must be asked for first.
    fn link_of(&mut self, slot: usize, now: Nanos) -> Option<Mac> {
        let connection = &self.connections[slot];
        if connection.state == State::SynReceived && connection.flags.has(Flags::PASSIVE) {
            return Some(connection.link);
        }
        let remote = connection.remote;
        let hop = self.next_hop(remote)?;
        match self.neighbours.way(hop, now) {
            Way::Known(mac) => Some(mac),
            Way::Confirm(mac) => {
                self.ask_neighbour(hop, Some(mac));
                Some(mac)
            }
            Way::Ask => {
                self.ask_neighbour(hop, None);
                self.park(slot);
                None
            }
            Way::Wait => {
                self.park(slot);
                None
            }
        }
    }

    pub(crate) fn next_hop(&self, remote: Address) -> Option<Address> {
        if self.is_on_link(remote) {
            return Some(remote);
        }
        if remote.is_v4() {
            self.gateway_v4
        } else {
            self.gateway_v6
        }
    }

    fn park(&mut self, slot: usize) {
        if self.parked.len() < PARKED_MAX {
            let generation = self.connections[slot].generation;
            self.parked.push_back((slot as u32, generation));
        }
    }

    fn next_segment(&mut self, slot: usize, now: Nanos) -> Option<Next> {
        let connection = &mut self.connections[slot];
        let flags = connection.flags;
        match connection.state {
            State::Closed => return None,
            State::SynSent | State::SynReceived => {
                if flags.has(Flags::SYN_PENDING) {
                    return Some(Next::bare(Kind::Syn, connection.send_unacknowledged));
                }
                let answers = flags.has(Flags::ACK_NOW) && connection.state == State::SynReceived;
                let acknowledgment = Next::bare(Kind::Acknowledgment, connection.send_next);
                return answers.then_some(acknowledgment);
            }
            _ => {}
        }
        if let Some(active) = self.actives.find_mut(connection.active)
            && let Some(next) = next_data(connection, active, &self.config, now)
        {
            return Some(next);
        }
        let fin_sent = flags.has(Flags::FIN_SENT);
        let unsent = self.actives.find(connection.active).is_some_and(|active| {
            !fin_sent && !active.send.is_empty() && active.send.end() != connection.send_next
        });
        if flags.has(Flags::FIN_QUEUED) && !fin_sent && !unsent {
            return Some(Next::bare(Kind::Fin, connection.send_next));
        }
        if fin_sent && flags.has(Flags::FIN_AGAIN) && connection.outstanding() > 0 {
            return Some(Next::bare(Kind::Fin, connection.send_next.wrapping_sub(1)));
        }
        if flags.has(Flags::PROBE_PENDING) {
            let sequence = connection.send_unacknowledged.wrapping_sub(1);
            return Some(Next::bare(Kind::Probe, sequence));
        }
        let acknowledgment = Next::bare(Kind::Acknowledgment, connection.send_next);
        flags.has(Flags::ACK_NOW).then_some(acknowledgment)
    }

    /// Notes that a segment left, with `sent` bytes of payload.
    fn left(&mut self, slot: usize, next: &Next, sent: u32, now: Nanos) {
        self.statistics.segments_sent += 1;
        let connection = &mut self.connections[slot];
        let end = next.sequence.wrapping_add(sent);
        // Payload that was cut short by too many slices leaves its end for the next segment.
        let fin = next.fin && sent == next.length;
        match next.kind {
            Kind::Syn => {
                connection.flags.clear(Flags::SYN_PENDING);
                connection.send_next = connection.send_unacknowledged.wrapping_add(1);
                let timeout = connection.retransmission_timeout(&self.config.tcp, false);
                connection.retransmit_at = now + timeout;
                if connection.state == State::SynReceived {
                    let window = self.config.tcp.receive_bytes_max.min(65_535);
                    connection.acknowledged = connection.receive_next;
                    connection.receive_edge = connection.receive_next.wrapping_add(window);
                }
                return;
            }
            Kind::Probe => {
                connection.flags.clear(Flags::PROBE_PENDING);
            }
            Kind::Fin if connection.flags.has(Flags::FIN_SENT) => {
                connection.flags.clear(Flags::FIN_AGAIN);
                self.statistics.segments_retransmitted += 1;
            }
            Kind::Fin | Kind::New => self.left_new(slot, next, sent, fin, now),
            Kind::Again(index) => {
                self.statistics.segments_retransmitted += 1;
                let first = connection.send_unacknowledged == next.sequence;
                if let Some(active) = self.actives.find_mut(connection.active) {
                    let stamp = active.delivery.stamp(active.board.pipe(), now);
                    active.board.sent_again(index, sent, stamp, now);
                    active.bbr.sent(sent, now);
                    active.recovery.sent_again(sent, end, connection, now);
                    if connection.flags.take(Flags::TAIL_PROBE_PENDING) {
                        let end = connection.send_next;
                        active.rack.start_probe(end, true);
                        set_timer(connection, None, &self.config.tcp, now);
                    } else if first {
                        set_timer(connection, Some(active), &self.config.tcp, now);
                    }
                }
                let connection = &mut self.connections[slot];
                if connection.flags.has(Flags::FIN_SENT) && fin {
                    connection.flags.clear(Flags::FIN_AGAIN);
                }
            }
            Kind::Acknowledgment => {}
        }
        debug_assert!(next.kind != Kind::New || distance(next.sequence, end) == sent);
        self.acknowledgment_left(slot, next.kind == Kind::Acknowledgment);
    }

    fn left_new(&mut self, slot: usize, next: &Next, sent: u32, fin: bool, now: Nanos) {
        let connection = &mut self.connections[slot];
        self.statistics.bytes_sent += u64::from(sent);
        connection.send_next = next.sequence.wrapping_add(sent + u32::from(fin));
        if fin {
            connection.flags.set(Flags::FIN_SENT);
        }
        let idle = connection.retransmit_at == 0 || connection.flags.has(Flags::PROBE_TIMER);
        let Some(active) = self.actives.find_mut(connection.active) else {
            if idle {
                set_timer(connection, None, &self.config.tcp, now);
            }
            return;
        };
        if sent > 0 {
            connection.data_sent_at = milliseconds(now).max(1);
            let stamp = active.delivery.stamp(active.board.pipe(), now);
            active.board.push(next.sequence, sent, stamp, now);
            active.bbr.sent(sent, now);
            active.recovery.sent(sent);
        }
        if connection.flags.take(Flags::TAIL_PROBE_PENDING) {
            active.rack.start_probe(connection.send_next, false);
            set_timer(connection, None, &self.config.tcp, now);
        } else if idle {
            set_timer(connection, Some(active), &self.config.tcp, now);
        }
    }

    /// Every segment acknowledges. Only one without payload has room to report gaps.
    fn acknowledgment_left(&mut self, slot: usize, bare: bool) {
        let connection = &mut self.connections[slot];
        connection.acknowledged = connection.receive_next;
        connection.segments_unacknowledged = 0;
        connection.acknowledge_at = 0;
        connection.flags.clear(Flags::ACK_WAITS);
        if bare {
            connection.duplicate = Default::default();
            connection.acknowledgments_owed = connection.acknowledgments_owed.saturating_sub(1);
        }
        let reports = connection.duplicate.start != connection.duplicate.end;
        if connection.acknowledgments_owed == 0 && !reports {
            connection.flags.clear(Flags::ACK_NOW);
        }
    }

    /// After a connection had its turn: idle memory goes back, timers are set.
    pub(crate) fn settle(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        let closed = connection.state == State::Closed;
        if !closed && connection.flags.has(Flags::ACK_WAITS) && connection.acknowledge_at == 0 {
            connection.acknowledge_at = now + self.config.tcp.ack_delay;
        }
        if let Some(active) = self.active(slot).filter(|active| active.is_idle()) {
            let probe = active.rack.probe;
            let unjudged = probe.is_some_and(|probe| probe.retransmission);
            let flags = &mut self.connections[slot].flags;
            flags.set_to(Flags::PROBE_UNJUDGED, unjudged);
            self.give_back_active(slot);
        }
        if closed {
            return;
        }
        let connection = &mut self.connections[slot];
        if connection.flags.has(Flags::SYN_PENDING) && connection.retransmit_at == 0 {
            // It could not leave: its neighbour is not known yet, or will never answer.
            let timeout = connection.retransmission_timeout(&self.config.tcp, false);
            connection.retransmit_at = now + timeout;
        }
        let waits = connection.outstanding() == 0 && connection.retransmit_at == 0;
        if let Some(active) = self.actives.find(connection.active)
            && waits
            && !active.send.is_empty()
            && connection.state.is_synchronized()
        {
            // Only the peer's window holds it back: ask for it again and again (RFC 9293, 3.8.6.1).
            let timeout = connection.retransmission_timeout(&self.config.tcp, false);
            let backed_off = timeout.saturating_mul(1 << connection.probes.min(16));
            connection.retransmit_at = now + backed_off.min(self.config.tcp.rto_max);
        }
        self.arm(slot);
    }

    /// The window to offer and the right edge that it stands for. The edge never moves back
    /// (RFC 9293, 3.8.6), and on only by steps worth a segment (3.8.6.2.2).
    pub(crate) fn window_to_offer(&self, slot: usize) -> (u16, u32) {
        let connection = &self.connections[slot];
        let unread = self
            .active(slot)
            .map_or(0, |active| active.receive.unread());
        let capacity = self.config.tcp.receive_bytes_max;
        // Half of what is free: others want to receive too.
        let pool = self.chunks.free() as u64 * self.chunks.size() as u64 / 2;
        let window = u64::from(capacity.saturating_sub(unread)).min(pool) as u32;
        let next = connection.receive_next;
        let fresh = next.wrapping_add(window);
        let step = u32::from(connection.mss).min(capacity / 2).max(1);
        let edge = if distance(connection.receive_edge, fresh) >= step {
            fresh
        } else {
            later(next, connection.receive_edge)
        };
        let scale = connection.receive_scale;
        // Rounded up: rounding down would take back what was offered.
        let shifted = (distance(next, edge) + (1 << scale) - 1) >> scale;
        let field = shifted.min(65_535) as u16;
        let offered = next.wrapping_add(u32::from(field) << scale);
        (field, later(connection.receive_edge, offered))
    }
}

/// The next segment with payload.
fn next_data(
    connection: &mut Connection,
    active: &mut Active,
    config: &StackConfig,
    now: Nanos,
) -> Option<Next> {
    let segment = connection.segment_bytes();
    let probe = connection.flags.has(Flags::TAIL_PROBE_PENDING);
    let pipe = active.board.pipe();
    let paced = config.tcp.congestion_control == CongestionControl::Bbr;
    if let Some(index) = active.board.first_lost() {
        connection.flags.clear(Flags::TAIL_PROBE_PENDING);
        let length = active.board.get(index)?.length.min(segment);
        let fits = pipe + length <= connection.congestion_window;
        let may = fits || pipe == 0 || active.recovery.send_one;
        if may && paced && !active.recovery.send_one && !active.bbr.may_send(connection, now) {
            return None;
        }
        return may
            .then(|| again(connection, active, index, length))
            .flatten();
    }
    let fin_sent = connection.flags.has(Flags::FIN_SENT);
    let end = active.send.end();
    let unsent = if fin_sent {
        0
    } else {
        distance(connection.send_next, end)
    };
    let window = distance(connection.send_next, connection.send_edge());
    if probe && (unsent == 0 || window < unsent.min(segment)) {
        return tail_probe(connection, active, segment);
    }
    if unsent == 0 && paced {
        active.delivery.limit(pipe);
    }
    if unsent == 0 || window == 0 || active.board.len() >= config.tcp.segments_max {
        return None;
    }
    let allowed = if probe {
        segment
    } else {
        connection.congestion_window.saturating_sub(pipe)
    };
    let wanted = unsent.min(window);
    if paced && !probe && !active.bbr.may_send(connection, now) {
        return None;
    }
    if allowed < wanted.min(segment) {
        active.recovery.limit(connection.send_next);
        return None;
    }
    let most = most_in_one(config, segment);
    let mut length = wanted.min(allowed).min(most);
    if length > segment && length < unsent {
        length -= length % segment;
    }
    if length == allowed.min(most) && allowed < wanted {
        active
            .recovery
            .limit(connection.send_next.wrapping_add(length));
    }
    // A sliver of window is not worth a segment while others are on the way (RFC 9293, 3.8.6.2.1).
    let sliver = length < segment && length < unsent;
    if sliver && !active.board.is_empty() && length < connection.send_window_max / 2 {
        return None;
    }
    let last = length == unsent;
    Some(Next {
        kind: Kind::New,
        sequence: connection.send_next,
        length,
        fin: last && connection.flags.has(Flags::FIN_QUEUED),
        push: last,
    })
}

/// Payload bytes of one frame at most: a segment, or as many whole ones as the device cuts.
fn most_in_one(config: &StackConfig, segment: u32) -> u32 {
    let offloads = &config.offloads;
    if !offloads.transmit_checksum {
        return segment;
    }
    let most = offloads.segmentation_bytes_max.min(65_000) as u32;
    (most - most % segment).max(segment)
}

fn again(connection: &Connection, active: &Active, index: usize, length: u32) -> Option<Next> {
    let sequence = active.board.get(index)?.start;
    let end = sequence.wrapping_add(length);
    let fin = connection.flags.has(Flags::FIN_SENT) && end.wrapping_add(1) == connection.send_next;
    Some(Next {
        kind: Kind::Again(index),
        sequence,
        length,
        fin,
        push: end == active.send.end(),
    })
}

/// Nothing new may leave: the last segment goes again (RFC 8985, 7.3).
fn tail_probe(connection: &mut Connection, active: &mut Active, segment: u32) -> Option<Next> {
    let Some(index) = active.board.split_tail(segment) else {
        connection.flags.clear(Flags::TAIL_PROBE_PENDING);
        return None;
    };
    let length = active.board.get(index)?.length;
    again(connection, active, index, length)
}
