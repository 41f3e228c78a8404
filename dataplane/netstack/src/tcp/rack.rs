//! RACK-TLP (RFC 8985): loss is told by time, from the most recently sent segment that arrived.

use super::scoreboard::{Scoreboard, Sent, sent_after};
use super::{Active, Connection};
use crate::config::{MILLISECOND, Nanos};
use crate::sequence::{after, at_least, before};

/// Recoveries without reordering after which a widened window becomes narrow again.
const PERSIST: u8 = 16;
/// A probe is never sent earlier than this after the last segment.
const PROBE_MIN: Nanos = MILLISECOND;

/// The probe that asks for the tail's acknowledgment (RFC 8985, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailProbe {
    /// SND.NXT after the probe.
    pub end: u32,
    pub retransmission: bool,
}

#[derive(Default)]
pub struct Rack {
    /// Of the most recently sent segment that arrived.
    sent_at: Nanos,
    end: u32,
    round_trip: Nanos,
    /// The highest sequence that arrived, once any did.
    highest: Option<u32>,
    reordering_seen: bool,
    /// Quarters of the least round trip beyond the first.
    widened: u8,
    persist: u8,
    duplicate_round: Option<u32>,
    pub probe: Option<TailProbe>,
}

impl Rack {
    /// A segment arrived (RFC 8985, 6.2 steps 2 and 3). `echo_older` says that the acknowledgment
    /// answers an earlier transmission than the last.
    pub fn deliver(&mut self, sent: &Sent, now: Nanos, round_trip_min: Nanos, echo_older: bool) {
        let round_trip = now.saturating_sub(sent.sent_at);
        if sent.retransmitted && (echo_older || round_trip < round_trip_min) {
            return;
        }
        match self.highest {
            Some(highest) if !after(sent.end(), highest) => {
                self.reordering_seen |= before(sent.end(), highest) && !sent.retransmitted;
            }
            _ => self.highest = Some(sent.end()),
        }
        if self.sent_at == 0 || sent_after((sent.sent_at, sent.end()), (self.sent_at, self.end)) {
            self.sent_at = sent.sent_at;
            self.end = sent.end();
            self.round_trip = round_trip;
        }
    }

    /// A duplicate was reported: the window of reordering widens, once for each round trip.
    pub fn duplicate_seen(&mut self, send_next: u32) {
        if self.duplicate_round.is_none() {
            self.duplicate_round = Some(send_next);
            self.widened = self.widened.saturating_add(1).min(64);
            self.persist = PERSIST;
            self.reordering_seen = true;
        }
    }

    /// New data was acknowledged.
    pub fn acknowledged(&mut self, send_unacknowledged: u32) {
        if self
            .duplicate_round
            .is_some_and(|round| at_least(send_unacknowledged, round))
        {
            self.duplicate_round = None;
        }
    }

    pub fn start_probe(&mut self, end: u32, retransmission: bool) {
        self.probe = Some(TailProbe {
            end,
            retransmission,
        });
    }

    pub fn recovery_ended(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.widened = 0;
        }
    }

    /// How much later than others a segment may arrive (RFC 8985, 6.2 step 4).
    fn window(&self, connection: &Connection, board: &Scoreboard, recovering: bool) -> Nanos {
        let segment = connection.segment_bytes();
        let many = board.sacked_segments() >= 3 || board.sacked() >= 3 * segment;
        if !self.reordering_seen && (recovering || many) {
            return 0;
        }
        let quarters = (1 + Nanos::from(self.widened)) * connection.round_trip_min() / 4;
        quarters.min(connection.round_trip().unwrap_or(quarters))
    }

    /// How long after its sending a segment that is still out counts as lost.
    pub fn patience(&self, connection: &Connection, board: &Scoreboard, recovering: bool) -> Nanos {
        self.round_trip + self.window(connection, board, recovering)
    }

    /// Marks what was overtaken as lost; returns when to look again.
    pub fn detect(
        &self,
        connection: &Connection,
        board: &mut Scoreboard,
        recovering: bool,
        now: Nanos,
    ) -> Option<Nanos> {
        if self.sent_at == 0 {
            return None;
        }
        let wait = self.patience(connection, board, recovering);
        board.mark_overtaken((self.sent_at, self.end), wait, now)
    }
}

/// When the tail should be probed, counted from now; None where a probe may not be sent.
pub fn probe_after(
    connection: &Connection,
    active: &Active,
    lone: bool,
    peer_ack_delay: Nanos,
) -> Option<Nanos> {
    if !connection.flags.has(super::Flags::SACK)
        || active.recovery.is_recovering()
        || active.rack.probe.is_some()
        || active.board.lost() > 0
        || active.board.sacked() > 0
        || connection.backoff > 0
    {
        return None;
    }
    let round_trip = connection.round_trip()?;
    let delay = if lone { peer_ack_delay } else { 0 };
    Some((2 * round_trip).max(PROBE_MIN) + delay)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::delivery::Stamp;
    use super::*;
    use crate::table::Key;
    use crate::wire::ip::Address;

    /// A connection whose round trip is 20 ms.
    fn connection() -> Connection {
        let key = Key {
            remote: Address::v4([10, 0, 0, 2]),
            remote_port: 1,
            local_port: 2,
            local: 0,
        };
        let mut connection = Connection::new(&key, State::Established, 0);
        connection.measure(20 * MILLISECOND);
        connection
    }

    /// How long a gap is given.
    fn window(rack: &Rack) -> Nanos {
        rack.window(&connection(), &Scoreboard::default(), true) / MILLISECOND
    }

    fn sent(start: u32, sent_at: Nanos, retransmitted: bool) -> Sent {
        Sent {
            start,
            length: 1_000,
            sent_at,
            sacked: false,
            lost: false,
            retransmitted,
            stamp: Stamp::default(),
        }
    }

    /// RFC 8985, 6.2 step 4: a quarter more for each round trip with a duplicate, a whole round trip at most,
    /// and narrow again after 16 recoveries without one.
    #[test]
    fn duplicates_widen_the_window_for_sixteen_recoveries() {
        let mut rack = Rack::default();
        assert_eq!(window(&rack), 0);
        rack.duplicate_seen(1_000);
        assert_eq!(window(&rack), 10);
        // Of the same round trip.
        rack.acknowledged(999);
        rack.duplicate_seen(2_000);
        assert_eq!(window(&rack), 10);
        rack.acknowledged(1_000);
        rack.duplicate_seen(2_000);
        assert_eq!(window(&rack), 15);
        (0..15).for_each(|_| rack.recovery_ended());
        assert_eq!(window(&rack), 15);
        rack.recovery_ended();
        assert_eq!(window(&rack), 5);
        for round in 3..20 {
            rack.acknowledged(round * 1_000);
            rack.duplicate_seen(round * 1_000 + 1);
        }
        assert_eq!(window(&rack), 20);
    }

    /// RFC 8985, 6.2 steps 2 and 3.
    #[test]
    fn only_originals_tell_of_reordering_and_only_sure_retransmissions_count() {
        let least = 20 * MILLISECOND;
        let at = |time: Nanos| time * MILLISECOND;
        let mut rack = Rack::default();
        rack.deliver(&sent(2_000, at(100), false), at(120), least, false);
        assert_eq!((rack.sent_at, rack.end), (at(100), 3_000));
        // Sooner than any round trip, or with the echo of the original: of which one, nobody knows.
        rack.deliver(&sent(0, at(110), true), at(129), least, false);
        rack.deliver(&sent(0, at(110), true), at(140), least, true);
        assert_eq!(rack.sent_at, at(100));
        // A retransmission comes after later ones by its nature.
        rack.deliver(&sent(0, at(110), true), at(131), least, false);
        assert_eq!((rack.sent_at, rack.end), (at(110), 1_000));
        assert!(!rack.reordering_seen);
        rack.deliver(&sent(1_000, at(100), false), at(132), least, false);
        assert!(rack.reordering_seen);
    }
}
