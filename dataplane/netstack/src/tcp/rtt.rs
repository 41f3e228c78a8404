//! The round trip's estimate and the retransmission timeout (RFC 6298), in microseconds inside.

use super::{Connection, Flags};
use crate::config::{Nanos, TcpConfig};

const MICROSECOND: Nanos = 1_000;

impl Connection {
    /// Takes a measured round trip of a segment that was sent once (Karn's rule is the caller's).
    pub fn measure(&mut self, round_trip: Nanos) {
        let sample = (round_trip / MICROSECOND).clamp(1, 600_000_000) as u32;
        self.rtt_min = self.rtt_min.min(sample);
        if !self.flags.has(Flags::RTT_KNOWN) {
            self.flags.set(Flags::RTT_KNOWN);
            self.rtt_smoothed = sample;
            self.rtt_variation = sample / 2;
            return;
        }
        let difference = self.rtt_smoothed.abs_diff(sample);
        self.rtt_variation = self.rtt_variation - self.rtt_variation / 4 + difference / 4;
        self.rtt_smoothed = (self.rtt_smoothed - self.rtt_smoothed / 8 + sample / 8).max(1);
    }

    pub fn round_trip(&self) -> Option<Nanos> {
        let known = self.flags.has(Flags::RTT_KNOWN);
        known.then(|| Nanos::from(self.rtt_smoothed) * MICROSECOND)
    }

    /// The least round trip seen; 0 before the first.
    pub fn round_trip_min(&self) -> Nanos {
        match self.rtt_min {
            u32::MAX => 0,
            least => Nanos::from(least) * MICROSECOND,
        }
    }

    /// The timeout as it applies now: backed off, within bounds. `lone` adds what a peer may hold
    /// back the acknowledgment of less than two full segments.
    pub fn retransmission_timeout(&self, config: &TcpConfig, lone: bool) -> Nanos {
        let base = match self.round_trip() {
            None => config.rto_initial,
            Some(round_trip) => {
                // RFC 6298's G: the clock has nanoseconds, so only the floor counts.
                let variation = 4 * Nanos::from(self.rtt_variation) * MICROSECOND;
                let delay = if lone { config.peer_ack_delay } else { 0 };
                (round_trip + variation).max(config.rto_min) + delay
            }
        };
        base.saturating_mul(1 << self.backoff.min(30))
            .min(config.rto_max)
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::table::Key;
    use crate::wire::ip::Address;

    fn connection() -> Connection {
        let key = Key {
            remote: Address::v4([10, 0, 0, 2]),
            remote_port: 1,
            local_port: 2,
            local: 0,
        };
        Connection::new(&key, State::Established, 0)
    }

    #[test]
    fn follows_rfc_6298() {
        let config = TcpConfig::default();
        let mut connection = connection();
        assert_eq!(
            connection.retransmission_timeout(&config, false),
            1_000_000_000
        );
        connection.measure(100_000_000);
        assert_eq!(connection.rtt_smoothed, 100_000);
        assert_eq!(
            connection.retransmission_timeout(&config, false),
            300_000_000
        );
        connection.measure(180_000_000);
        assert_eq!(
            (connection.rtt_smoothed, connection.rtt_variation),
            (110_000, 57_500)
        );
        connection.backoff = 3;
        let timeout = connection.retransmission_timeout(&config, false);
        assert_eq!(timeout, 8 * (110_000 + 4 * 57_500) * 1_000);
        connection.backoff = 20;
        assert_eq!(
            connection.retransmission_timeout(&config, false),
            config.rto_max
        );
    }

    #[test]
    fn a_short_round_trip_meets_the_floor() {
        let config = TcpConfig::default();
        let mut connection = connection();
        (0..50).for_each(|_| connection.measure(20_000));
        assert_eq!(
            connection.retransmission_timeout(&config, false),
            config.rto_min
        );
        let lone = connection.retransmission_timeout(&config, true);
        assert_eq!(lone, config.rto_min + config.peer_ack_delay);
    }
}
