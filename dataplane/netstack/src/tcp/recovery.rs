//! The state of loss recovery: how much may leave (RFC 6937), when it ends, and when it was needless
//! (RFC 3522).

use super::congestion::{self, Cubic};
use super::{Connection, Flags};
use crate::config::{CongestionControl, Nanos};
use crate::sequence::{at_least, before};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// A lost segment was found by later ones.
    Fast,
    /// A timeout.
    Timeout,
}

#[derive(Default)]
pub struct Recovery {
    phase: Phase,
    /// SND.NXT when it began: all of it acknowledged is its end.
    point: u32,
    /// What is restored when it was needless.
    prior_window: u32,
    prior_threshold: u32,
    prior_before_loss: u32,
    /// Our timestamp when the first segment left again, and where that segment ends.
    first_again: Option<(u32, u32)>,
    /// Whether the first retransmission was needless is known.
    judged: bool,
    /// RFC 6937's RecoverFS, prr_delivered and prr_out.
    flight: u32,
    delivered: u32,
    sent: u32,
    /// The first segment leaves again whatever the window says.
    pub send_one: bool,
    /// The congestion window held the sender back up to here.
    limited_until: Option<u32>,
}

impl Recovery {
    pub fn is_recovering(&self) -> bool {
        self.phase != Phase::Open
    }

    pub fn is_fast(&self) -> bool {
        self.phase == Phase::Fast
    }

    /// The congestion window when it began.
    pub fn window_before(&self) -> u32 {
        self.prior_window
    }

    /// The window, not the user, held data back.
    pub fn limit(&mut self, send_next: u32) {
        self.limited_until = Some(send_next);
    }

    /// Whether bytes acknowledged from `send_unacknowledged` on were sent under a full window.
    pub fn was_limited(&self, send_unacknowledged: u32) -> bool {
        self.limited_until
            .is_some_and(|until| before(send_unacknowledged, until))
    }

    fn remember(&mut self, connection: &Connection) {
        self.point = connection.send_next;
        self.prior_window = connection.congestion_window;
        self.prior_threshold = connection.slow_start_threshold;
        self.prior_before_loss = connection.window_before_loss;
        self.first_again = None;
        self.judged = false;
    }

    pub fn enter_fast(
        &mut self,
        which: CongestionControl,
        connection: &mut Connection,
        cubic: &mut Cubic,
        flight: u32,
    ) {
        self.remember(connection);
        congestion::reduce(which, connection, cubic, flight);
        self.phase = Phase::Fast;
        self.flight = flight.max(1);
        self.delivered = 0;
        self.sent = 0;
        self.send_one = true;
    }

    pub fn enter_timeout(
        &mut self,
        which: CongestionControl,
        connection: &mut Connection,
        cubic: &mut Cubic,
        flight: u32,
    ) {
        // A second timeout of one window reduces nothing further (RFC 5681, 3.1).
        if self.phase != Phase::Timeout {
            self.remember(connection);
            congestion::reduce(which, connection, cubic, flight);
        }
        self.point = connection.send_next;
        self.phase = Phase::Timeout;
        self.send_one = true;
        congestion::collapse(connection, cubic);
    }

    /// Bytes arrived during fast recovery: sets the window so that sending slows down evenly
    /// (RFC 6937). `pipe` is what is on the way now.
    pub fn pace(&mut self, connection: &mut Connection, delivered: u32, pipe: u32) {
        self.delivered = self.delivered.saturating_add(delivered);
        let threshold = connection.slow_start_threshold;
        let segment = connection.segment_bytes();
        let may_send = if pipe > threshold {
            let share = u64::from(self.delivered) * u64::from(threshold);
            let due = share.div_ceil(u64::from(self.flight)) as u32;
            due.saturating_sub(self.sent)
        } else {
            let limit = self.delivered.saturating_sub(self.sent).max(delivered);
            (threshold - pipe).min(limit.saturating_add(segment))
        };
        connection.congestion_window = pipe.saturating_add(may_send).max(segment);
    }

    /// Bytes left.
    pub fn sent(&mut self, bytes: u32) {
        self.sent = self.sent.saturating_add(bytes);
    }

    /// The segment that ends at `end` left again.
    pub fn sent_again(&mut self, bytes: u32, end: u32, connection: &Connection, now: Nanos) {
        self.sent(bytes);
        self.send_one = false;
        if self.is_recovering() && self.first_again.is_none() && !self.judged {
            self.first_again = Some((connection.timestamp(now), end));
        }
    }

    /// Ends when everything is acknowledged that was out when it began; true then.
    pub fn try_end(&mut self, which: CongestionControl, connection: &mut Connection) -> bool {
        if !self.is_recovering() || !at_least(connection.send_unacknowledged, self.point) {
            return false;
        }
        if self.phase == Phase::Fast && which != CongestionControl::Bbr {
            connection.congestion_window = connection.slow_start_threshold;
        }
        self.finish();
        true
    }

    /// The acknowledgment that first covers what left again echoes a timestamp from before the retransmission:
    /// the original arrived, nothing was lost (RFC 3522; the response of RFC 4015).
    pub fn try_undo(&mut self, connection: &mut Connection, echo: Option<u32>) -> bool {
        let (Some((first, end)), Some(echo)) = (self.first_again, echo) else {
            return false;
        };
        // Until then it answers for what an earlier recovery had sent again.
        if !at_least(connection.send_unacknowledged, end) {
            return false;
        }
        if !self.is_recovering() || !connection.flags.has(Flags::TIMESTAMPS) {
            return false;
        }
        // Only the first acknowledgment can tell.
        self.first_again = None;
        self.judged = true;
        if !before(echo, first) {
            return false;
        }
        let window = connection.congestion_window.max(self.prior_window);
        connection.congestion_window = window;
        connection.slow_start_threshold = self.prior_threshold;
        connection.window_before_loss = self.prior_before_loss;
        self.finish();
        true
    }

    fn finish(&mut self) {
        self.phase = Phase::Open;
        self.first_again = None;
        self.send_one = false;
    }
}
