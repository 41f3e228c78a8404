//! Payload and the peer's end: what is kept, what is dropped, and what is owed for it.

use super::receive_buffer::Stored;
use super::{Connection, Flags, State};
use crate::config::Nanos;
use crate::sequence::{distance, later};
use crate::stack::Stack;
use crate::wire::tcp::{self, SackBlock, Segment};

impl Stack {
    /// Stores what lies in the window, and the peer's end.
    pub(super) fn take_payload(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        let connection = &self.connections[slot];
        if !connection.state.can_receive() {
            return;
        }
        let next = connection.receive_next;
        let skipped = distance(segment.sequence, next) as usize;
        let mut payload = segment.payload.get(skipped..).unwrap_or(&[]);
        let start = later(segment.sequence, next);
        let room = distance(start, connection.receive_edge) as usize;
        let mut fin = segment.has(tcp::FIN);
        if payload.len() > room {
            payload = &payload[..room];
            fin = false;
            self.connections[slot].flags.set(Flags::ACK_NOW);
        }
        if !segment.payload.is_empty() && payload.is_empty() {
            // Nothing of it counts: window probes, and what came before.
            self.connections[slot].flags.set(Flags::ACK_NOW);
        }
        if skipped > 0 && !segment.payload.is_empty() {
            let end = segment
                .sequence
                .wrapping_add(skipped.min(segment.payload.len()) as u32);
            let connection = &mut self.connections[slot];
            connection.flags.set(Flags::ACK_NOW);
            connection.duplicate = SackBlock {
                start: segment.sequence,
                end,
            };
        }
        if !payload.is_empty() && !self.store(slot, start, payload) {
            return;
        }
        let end = start.wrapping_add(payload.len() as u32);
        if fin {
            self.note_end(slot, end);
        }
        let early = self.active(slot).and_then(|active| active.early_fin);
        let here = self.connections[slot].receive_next;
        if (fin && end == here) || early == Some(here) {
            self.take_end(slot, now);
        }
    }

    /// Keeps payload, or drops what nobody will read. False where the connection is gone.
    fn store(&mut self, slot: usize, start: u32, payload: &[u8]) -> bool {
        let connection = &mut self.connections[slot];
        let next = connection.receive_next;
        let length = payload.len() as u32;
        if connection.flags.has(Flags::ORPHAN) {
            // The user is gone. Until all that he sent has arrived, bytes are dropped in silence;
            // then the peer must learn that nobody reads (RFC 9293, 3.6.1).
            if connection.state == State::FinWait2 {
                self.reset(slot);
                self.vacate(slot);
                return false;
            }
            if start == next {
                connection.receive_next = next.wrapping_add(length);
            }
            connection.flags.set(Flags::ACK_NOW);
            return true;
        }
        if self.activate(slot).is_none() {
            self.statistics.memory_refused += 1;
            self.connections[slot].flags.set(Flags::ACK_NOW);
            return true;
        }
        let connection = &mut self.connections[slot];
        let Some(active) = self.actives.find_mut(connection.active) else {
            return true;
        };
        let end = start.wrapping_add(length);
        let gaps = active.receive.has_gaps();
        if start != next && active.receive.holds(start, end) {
            self.statistics.duplicates_received += 1;
            connection.duplicate = SackBlock { start, end };
            owe(connection);
            return true;
        }
        match active.receive.store(next, start, payload, &mut self.chunks) {
            Stored::InOrder(bytes) => {
                self.statistics.bytes_received += u64::from(bytes);
                connection.receive_next = next.wrapping_add(bytes);
                if active.receive.unread() == bytes {
                    connection.flags.set(Flags::TELL_READABLE);
                    self.tell.push(slot as u32);
                }
                connection.segments_unacknowledged =
                    connection.segments_unacknowledged.saturating_add(1);
                if gaps {
                    owe(connection);
                } else if connection.segments_unacknowledged >= 2 {
                    connection.flags.set(Flags::ACK_NOW);
                } else {
                    connection.flags.set(Flags::ACK_WAITS);
                }
            }
            Stored::Beyond => {
                self.statistics.out_of_order_received += 1;
                owe(connection);
            }
            Stored::Dropped => {
                self.statistics.memory_refused += 1;
                owe(connection);
            }
        }
        true
    }

    /// A FIN behind a gap waits for the bytes before it.
    fn note_end(&mut self, slot: usize, end: u32) {
        let connection = &self.connections[slot];
        if end != connection.receive_next
            && !connection.flags.has(Flags::ORPHAN)
            && let Some(active) = self.actives.find_mut(connection.active)
        {
            active.early_fin = Some(end);
            self.connections[slot].flags.set(Flags::ACK_NOW);
        }
    }

    /// The peer's end, in order.
    fn take_end(&mut self, slot: usize, now: Nanos) {
        let unread = self
            .active(slot)
            .map_or(0, |active| active.receive.unread());
        let connection = &mut self.connections[slot];
        connection.receive_next = connection.receive_next.wrapping_add(1);
        connection.flags.set(Flags::PEER_FIN | Flags::ACK_NOW);
        if unread == 0 && !connection.flags.has(Flags::ORPHAN) {
            connection.flags.set(Flags::TELL_READABLE);
            self.tell.push(slot as u32);
        }
        match connection.state {
            State::Established => connection.state = State::CloseWait,
            State::FinWait1 => connection.state = State::Closing,
            State::FinWait2 => self.enter_time_wait(slot, now),
            _ => {}
        }
    }
}

/// An acknowledgment for each segment that came out of order (RFC 5681, 4.2).
fn owe(connection: &mut Connection) {
    connection.flags.set(Flags::ACK_NOW);
    connection.acknowledgments_owed = connection.acknowledgments_owed.saturating_add(1);
}
