//! Whether a segment may be taken: PAWS, the window, and RFC 5961's defences.

use super::connection::milliseconds;
use super::{Flags, State};
use crate::config::{Nanos, SECOND};
use crate::sequence::{after, at_least, at_most, before, later};
use crate::stack::Stack;
use crate::wire::tcp::{self, SackBlock, Segment};

/// Least time between two answers to segments without payload that are not acceptable: two ends
/// that disagree must not talk forever (RFC 5961, 7).
const CHALLENGE_INTERVAL_MS: u32 = 10;
/// A timestamp older than this proves nothing (RFC 7323, 5.5), in seconds.
const TIMESTAMP_AGE_MAX: u32 = 24 * 24 * 3_600;

impl Stack {
    /// PAWS (RFC 7323, 5.3).
    pub(super) fn check_timestamps(
        &mut self,
        slot: usize,
        segment: &Segment<'_>,
        now: Nanos,
    ) -> bool {
        let connection = &mut self.connections[slot];
        if !connection.flags.has(Flags::TIMESTAMPS) || segment.has(tcp::RST) {
            return true;
        }
        let Some(timestamps) = segment.options.timestamps else {
            // "SHOULD silently drop" (RFC 7323, 3.2).
            self.statistics.timestamps_refused += 1;
            return false;
        };
        let age = ((now / SECOND) as u32).wrapping_sub(connection.timestamp_recent_at);
        if before(timestamps.value, connection.timestamp_recent) && age < TIMESTAMP_AGE_MAX {
            self.statistics.timestamps_refused += 1;
            self.answer_unacceptable(slot, segment, now);
            return false;
        }
        true
    }

    /// Whether any of the segment lies in the window (RFC 9293, table 6).
    pub(super) fn check_sequence(
        &mut self,
        slot: usize,
        segment: &Segment<'_>,
        now: Nanos,
    ) -> bool {
        let connection = &mut self.connections[slot];
        let next = connection.receive_next;
        let edge = later(next, connection.receive_edge);
        let length = segment.length();
        let acceptable = if length == 0 {
            // At the edge itself too: that is where a peer stands who used the window up.
            at_least(segment.sequence, next) && at_most(segment.sequence, edge)
        } else if next == edge {
            // Its acknowledgment counts although its bytes find no window.
            segment.sequence == next
        } else {
            before(segment.sequence, edge) && after(segment.end(), next)
        };
        if acceptable {
            return true;
        }
        if segment.has(tcp::RST) {
            return false;
        }
        if connection.state == State::SynReceived
            && segment.has(tcp::SYN)
            && !segment.has(tcp::ACK)
            && segment.sequence.wrapping_add(1) == next
        {
            // The peer did not get our answer to its SYN.
            if self.may_challenge(slot, now) {
                self.connections[slot].flags.set(Flags::SYN_PENDING);
                self.ready.push(slot as u32);
            }
            return false;
        }
        if !segment.payload.is_empty() && at_most(segment.end(), next) {
            self.statistics.duplicates_received += 1;
            connection.duplicate = SackBlock {
                start: segment.sequence,
                end: segment.sequence.wrapping_add(segment.payload.len() as u32),
            };
        } else {
            self.statistics.out_of_window += 1;
        }
        if self.connections[slot].state == State::TimeWait && segment.has(tcp::FIN) {
            // Our last acknowledgment was lost: the wait begins again.
            self.connections[slot].retransmit_at = now + self.config.tcp.time_wait;
        }
        self.answer_unacceptable(slot, segment, now);
        false
    }

    /// An acknowledgment tells the peer where we stand.
    pub(super) fn answer_unacceptable(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) {
        if segment.payload.is_empty() && !self.may_challenge(slot, now) {
            return;
        }
        self.connections[slot].flags.set(Flags::ACK_NOW);
        self.ready.push(slot as u32);
    }

    /// Limits answers for each connection alone: a limit that all share would tell strangers about
    /// others' connections (CVE-2016-5696).
    pub(super) fn may_challenge(&mut self, slot: usize, now: Nanos) -> bool {
        let connection = &mut self.connections[slot];
        let clock = milliseconds(now);
        let since = clock.wrapping_sub(connection.challenged_at);
        let may = connection.challenged_at == 0 || since >= CHALLENGE_INTERVAL_MS;
        if may {
            connection.challenged_at = clock.max(1);
        }
        may
    }

    pub(super) fn challenge(&mut self, slot: usize, now: Nanos) {
        if self.may_challenge(slot, now) {
            self.statistics.challenges_sent += 1;
            self.connections[slot].flags.set(Flags::ACK_NOW);
            self.ready.push(slot as u32);
        }
    }

    /// RST and SYN within the window (RFC 5961, 3 and 4).
    pub(super) fn check_control(&mut self, slot: usize, segment: &Segment<'_>, now: Nanos) -> bool {
        let connection = &self.connections[slot];
        if segment.has(tcp::RST) {
            if segment.sequence != connection.receive_next {
                self.challenge(slot, now);
                return false;
            }
            self.statistics.resets_received += 1;
            match connection.state {
                // RFC 1337: it is not to be assassinated.
                State::TimeWait => {}
                State::SynReceived if connection.flags.has(Flags::PASSIVE) => self.vacate(slot),
                _ => self.fail(slot),
            }
            return false;
        }
        if segment.has(tcp::SYN) {
            self.challenge(slot, now);
            return false;
        }
        segment.has(tcp::ACK)
    }
}
