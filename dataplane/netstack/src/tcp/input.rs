//! Arriving segments: RFC 9293, 3.10.7, with the defences of RFC 5961 and RFC 7323's timestamps.

use super::acknowledge::{self, Acknowledgment, Context};
use super::{Connection, Flags, State};
use crate::config::{Nanos, SECOND};
use crate::list::NONE;
use crate::sequence::{at_least, at_most, before};
use crate::stack::Stack;
use crate::table::Key;
use crate::wire::ethernet::Mac;
use crate::wire::ip::{Packet, pseudo_header};
use crate::wire::tcp::{self, Segment};

impl Stack {
    /// A TCP packet for one of our addresses.
    pub(crate) fn take_segment(&mut self, packet: &Packet<'_>, local: u8, link: Mac, now: Nanos) {
        let bytes = packet.payload;
        let sum = || {
            pseudo_header(
                packet.source,
                packet.destination,
                packet.protocol,
                bytes.len(),
            )
        };
        if !self.config.offloads.receive_checksum && sum().bytes(bytes).finish() != 0 {
            self.statistics.frames_malformed += 1;
            return;
        }
        let Some(segment) = tcp::parse(bytes) else {
            self.statistics.frames_malformed += 1;
            return;
        };
        if segment.source_port == 0 || segment.destination_port == 0 {
            self.statistics.frames_malformed += 1;
            return;
        }
        self.statistics.segments_received += 1;
        let key = Key {
            remote: packet.source,
            remote_port: segment.source_port,
            local_port: segment.destination_port,
            local,
        };
        let Some(slot) = self.find_connection(&key) else {
            self.take_stranger(&key, &segment, link, now);
            return;
        };
        let connection = &self.connections[slot];
        if connection.state == State::TimeWait && Stack::reopens(connection, &segment) {
            self.statistics.time_wait_recycled += 1;
            self.vacate(slot);
            self.take_stranger(&key, &segment, link, now);
            return;
        }
        self.segment_arrives(slot, &segment, now);
    }

    pub(crate) fn segment_arrives(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        match self.connections[slot].state {
            State::Closed => return,
            State::SynSent => return self.in_syn_sent(slot, segment, now),
            _ => {}
        }
        let sound = self.check_timestamps(slot, segment, now)
            && self.check_sequence(slot, segment, now)
            && self.check_control(slot, segment, now);
        if !sound {
            return;
        }
        let connection = &mut self.connections[slot];
        connection.heard_at = now;
        if connection.send_window > 0 {
            connection.probes = 0;
        }
        if connection.state == State::SynReceived && !self.in_syn_received(slot, segment, now) {
            return;
        }
        if !self.check_acknowledgment(slot, segment, now) {
            return;
        }
        self.note_timestamp(slot, segment, now);
        self.acknowledge(slot, segment, now);
        if !self.advance_ending(slot, now) {
            return;
        }
        self.take_payload(slot, segment, now);
        if self.connections[slot].state != State::Closed {
            self.ready.push(slot as u32);
        }
    }

    /// RFC 9293, 3.10.7.3.
    fn in_syn_sent(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        let connection = &self.connections[slot];
        let key = connection.key();
        let acknowledges = segment.has(tcp::ACK);
        if acknowledges && segment.acknowledgment != connection.send_next {
            let link = connection.link;
            if link != [0; 6] {
                self.refuse(&key, segment, link, now);
            }
            return;
        }
        if segment.has(tcp::RST) {
            if acknowledges {
                self.statistics.resets_received += 1;
                self.fail(slot);
            }
            return;
        }
        if !segment.has(tcp::SYN) {
            return;
        }
        let own_mss = self.mss_of(&key);
        self.agree(slot, &segment.options, own_mss, now);
        let connection = &mut self.connections[slot];
        connection.heard_at = now;
        connection.receive_next = segment.sequence.wrapping_add(1);
        connection.receive_edge = connection.receive_next;
        connection.send_window = u32::from(segment.window);
        connection.send_window_max = connection.send_window;
        connection.window_sequence = segment.sequence;
        connection.window_acknowledgment = segment.acknowledgment;
        if acknowledges {
            connection.send_unacknowledged = segment.acknowledgment;
            connection.flags.set(Flags::ACK_NOW);
            self.establish(slot, now);
        } else {
            // Both sides opened at once.
            connection.state = State::SynReceived;
            connection.window_acknowledgment = connection.send_unacknowledged;
            connection.backoff = 0;
            connection.flags.set(Flags::SYN_PENDING);
        }
        self.ready.push(slot as u32);
    }

    /// The last step of the handshake; false where it fails.
    fn in_syn_received(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) -> bool {
        let connection = &mut self.connections[slot];
        let key = connection.key();
        let link = connection.link;
        if segment.acknowledgment != connection.send_next || connection.outstanding() == 0 {
            self.refuse(&key, segment, link, now);
            return false;
        }
        let passive = connection.flags.has(Flags::PASSIVE);
        let listener = usize::from(connection.listener);
        if passive {
            let listener = &mut self.listeners[listener];
            listener.half_open -= 1;
            connection.state = State::Established;
            if !listener.open {
                self.statistics.connections_refused += 1;
                self.refuse(&key, segment, link, now);
                self.vacate(slot);
                return false;
            }
        }
        connection.send_unacknowledged = segment.acknowledgment;
        connection.send_window = u32::from(segment.window) << connection.send_scale;
        connection.send_window_max = connection.send_window_max.max(connection.send_window);
        connection.window_sequence = segment.sequence;
        connection.window_acknowledgment = segment.acknowledgment;
        self.establish(slot, now);
        true
    }

    /// Whether the acknowledgment is one that this connection can have caused (RFC 5961, 5).
    fn check_acknowledgment(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) -> bool {
        let connection = &self.connections[slot];
        let oldest = connection
            .send_unacknowledged
            .wrapping_sub(connection.send_window_max);
        let possible = at_least(segment.acknowledgment, oldest)
            && at_most(segment.acknowledgment, connection.send_next);
        if !possible {
            self.challenge(slot, now);
        }
        possible
    }

    /// Remembers the peer's timestamp to echo it (RFC 7323, 4.3).
    fn note_timestamp(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        let connection = &mut self.connections[slot];
        let Some(timestamps) = segment.options.timestamps else {
            return;
        };
        if connection.flags.has(Flags::TIMESTAMPS)
            && at_most(segment.sequence, connection.acknowledged)
        {
            connection.timestamp_recent = timestamps.value;
            connection.timestamp_recent_at = (now / SECOND) as u32;
        }
    }

    fn acknowledge(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        let connection = &mut self.connections[slot];
        let number = segment.acknowledgment;
        if before(number, connection.send_unacknowledged) {
            return;
        }
        let window = u32::from(segment.window) << connection.send_scale;
        let repeated = number == connection.send_unacknowledged
            && segment.length() == 0
            && window == connection.send_window;
        let duplicate = repeated && connection.outstanding() > 0;
        update_window(connection, segment, window);
        let echo = segment.options.timestamps.map(|timestamps| timestamps.echo);
        let acknowledgment = Acknowledgment {
            number,
            blocks: segment.options.sack_blocks(),
            echo: echo.filter(|_| connection.flags.has(Flags::TIMESTAMPS)),
            repeated,
            duplicate,
            now,
        };
        let Some(active) = self.actives.find_mut(connection.active) else {
            return acknowledge::take_idle(connection, &acknowledgment, &self.config.tcp);
        };
        let mut context = Context {
            config: &self.config.tcp,
            chunks: &mut self.chunks,
            statistics: &mut self.statistics,
        };
        let freed = acknowledge::take(connection, active, &acknowledgment, &mut context);
        if freed.lent > 0 {
            active.released += u64::from(freed.lent);
            self.tell.push(slot as u32);
        }
        // A peer without window answers: it lives.
        if connection.send_window == 0 {
            connection.backoff = connection.backoff.min(self.config.tcp.retries / 2);
        }
        let limit = self.config.tcp.send_bytes_max;
        if freed.bytes > 0
            && connection.flags.has(Flags::WANTS_WRITE)
            && active.send.bytes() <= limit - limit / 3
            && self.chunks.free() > 0
        {
            connection.flags.clear(Flags::WANTS_WRITE);
            connection.flags.set(Flags::TELL_WRITABLE);
            self.tell.push(slot as u32);
        }
        if freed.bytes > 0 {
            self.feed_starved();
        }
    }

    /// Our FIN may be acknowledged now; false where the connection is gone.
    pub(crate) fn advance_ending(&mut self, slot: usize, now: Nanos) -> bool {
        let connection = &mut self.connections[slot];
        let done = connection.flags.has(Flags::FIN_SENT) && connection.outstanding() == 0;
        if !done {
            return true;
        }
        match connection.state {
            State::FinWait1 => {
                connection.state = State::FinWait2;
                if connection.flags.has(Flags::ORPHAN) {
                    connection.retransmit_at = now + self.config.tcp.fin_wait;
                }
            }
            State::Closing => self.enter_time_wait(slot, now),
            State::LastAck => {
                // The user may still wait to hear of the end: he has, it was the peer's.
                self.finish(slot);
                return false;
            }
            _ => {}
        }
        true
    }

    /// Both sides are done. An orphan goes; else the user still has to close or to read.
    fn finish(&mut self, slot: usize) {
        if self.connections[slot].flags.has(Flags::ORPHAN) {
            self.vacate(slot);
        } else {
            self.detach(slot);
            self.ready.push(slot as u32);
        }
    }

    pub(super) fn enter_time_wait(&mut self, slot: usize, now: Nanos) {
        let limit = self.config.limits.time_wait_max;
        while self.time_wait.len() >= limit.max(1) {
            let Some((old, generation)) = self.time_wait.pop_front() else {
                break;
            };
            let connection = &self.connections[old as usize];
            if connection.generation == generation && connection.state == State::TimeWait {
                self.statistics.time_wait_recycled += 1;
                self.end_time_wait(old as usize);
            }
        }
        let connection = &mut self.connections[slot];
        connection.state = State::TimeWait;
        connection.retransmit_at = now + self.config.tcp.time_wait;
        self.time_wait
            .push_back((slot as u32, connection.generation));
    }

    pub(crate) fn end_time_wait(&mut self, slot: usize) {
        self.finish(slot);
    }

    /// The connection broke. Its user is told, after he has read what came before.
    pub(crate) fn fail(&mut self, slot: usize) {
        let connection = &self.connections[slot];
        let passive = connection.flags.has(Flags::PASSIVE);
        let announced = !passive || connection.state != State::SynReceived;
        let told = announced
            && !connection.flags.has(Flags::TELL_ACCEPTED)
            && !connection.flags.has(Flags::ORPHAN);
        self.statistics.connections_failed += 1;
        if !told {
            self.vacate(slot);
            return;
        }
        let unread = self
            .active(slot)
            .map_or(0, |active| active.receive.unread());
        self.detach(slot);
        let connection = &mut self.connections[slot];
        if unread == 0 {
            connection.flags.set(Flags::TELL_FAILED);
            self.give_back_active(slot);
        } else if let Some(active) = self.actives.find_mut(connection.active) {
            active.send.clear(&mut self.chunks);
            active.board.clear();
            active.released = 0;
            self.feed_starved();
        }
        debug_assert!(unread > 0 || self.connections[slot].active == NONE);
        self.tell.push(slot as u32);
    }
}

/// RFC 9293, 3.10.7.4: older segments do not move the window.
fn update_window(connection: &mut Connection, segment: &Segment<'_>, window: u32) {
    let newer = before(connection.window_sequence, segment.sequence)
        || (connection.window_sequence == segment.sequence
            && at_most(connection.window_acknowledgment, segment.acknowledgment));
    if !newer {
        return;
    }
    if connection.send_window == 0 && window > 0 {
        connection.probes = 0;
        // The window is open: what a timer would have probed can leave.
        let waits_for_window = !matches!(connection.state, State::FinWait2 | State::TimeWait);
        if connection.outstanding() == 0 && waits_for_window {
            connection.retransmit_at = 0;
        }
    }
    connection.send_window = window;
    connection.send_window_max = connection.send_window_max.max(window);
    connection.window_sequence = segment.sequence;
    connection.window_acknowledgment = segment.acknowledgment;
}
