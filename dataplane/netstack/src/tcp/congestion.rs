//! Congestion control by loss: CUBIC (RFC 9438) and NewReno (RFC 5681, RFC 6582). BBR, which goes by
//! bandwidth, passes through here where a loss changes nothing for it.
//!
//! Windows are in bytes and live in the control block, since they outlive idle times; CUBIC's epoch
//! lives with the data.

use super::Connection;
use crate::config::{CongestionControl, Nanos};

/// CUBIC's C and β (RFC 9438, 4.1 and 4.6).
const C: f64 = 0.4;
const BETA: f64 = 0.7;

#[derive(Default)]
pub struct Cubic {
    /// When this stage of congestion avoidance began; 0: not yet.
    epoch: Nanos,
    /// Seconds until the window is back where it was.
    k: f64,
    /// The window, in segments, around which the curve is flat.
    origin: f64,
    /// What Reno's window would be, in segments.
    estimate: f64,
    /// The window before the last reduction, in segments.
    prior: f64,
    last_acknowledged_at: Nanos,
}

/// Grows the window for `bytes` that arrived. `limited` says that the window was what held the
/// sender back; otherwise it proves nothing and stays (RFC 7661).
pub fn grow(
    which: CongestionControl,
    connection: &mut Connection,
    cubic: &mut Cubic,
    bytes: u32,
    limited: bool,
    now: Nanos,
) {
    let since = now.saturating_sub(cubic.last_acknowledged_at);
    cubic.last_acknowledged_at = now;
    if !limited {
        // Time in which the window was not used does not count (RFC 9438, 5.8).
        if cubic.epoch != 0 {
            cubic.epoch = (cubic.epoch + since).min(now);
        }
        return;
    }
    let window = connection.congestion_window;
    if window < connection.slow_start_threshold {
        let grown = window.saturating_add(bytes);
        connection.congestion_window = grown.min(connection.slow_start_threshold.max(window));
        return;
    }
    let segment = f64::from(connection.segment_bytes());
    let increase = match which {
        CongestionControl::NewReno => f64::from(bytes) * segment / f64::from(window),
        CongestionControl::Cubic => cubic.increase(connection, segment, bytes, now),
        CongestionControl::Bbr => return,
    };
    // At least one byte, so that small windows of small segments move.
    connection.congestion_window = window.saturating_add((increase as u32).max(1)).min(1 << 30);
}

impl Cubic {
    /// Bytes to grow by in congestion avoidance (RFC 9438, 4.2 to 4.5).
    fn increase(&mut self, connection: &Connection, segment: f64, bytes: u32, now: Nanos) -> f64 {
        let window = f64::from(connection.congestion_window) / segment;
        if self.epoch == 0 {
            let before = f64::from(connection.window_before_loss) / segment;
            self.epoch = now;
            self.estimate = window;
            self.prior = before;
            self.origin = before.max(window);
            self.k = ((self.origin - window) / C).cbrt();
        }
        let acknowledged = f64::from(bytes) / segment;
        // Until it is back at the window before the loss, Reno-friendly growth is slower, since
        // the reduction was smaller (RFC 9438, 4.3).
        let alpha = if self.estimate >= self.prior {
            1.0
        } else {
            3.0 * (1.0 - BETA) / (1.0 + BETA)
        };
        self.estimate += alpha * acknowledged / window;
        let elapsed = seconds(now - self.epoch);
        let target = if self.at(elapsed) < self.estimate {
            self.estimate.max(window)
        } else {
            let ahead = elapsed + seconds(connection.round_trip().unwrap_or(0));
            let target = self.at(ahead).clamp(window, 1.5 * window);
            window + (target - window) / window * acknowledged
        };
        (target - window) * segment
    }

    /// W_cubic(t).
    fn at(&self, elapsed: f64) -> f64 {
        C * (elapsed - self.k).powi(3) + self.origin
    }
}

fn seconds(time: Nanos) -> f64 {
    time as f64 / 1e9
}

/// Loss was found: sets the threshold, and remembers where the window was. `flight` is what was on
/// the way.
pub fn reduce(
    which: CongestionControl,
    connection: &mut Connection,
    cubic: &mut Cubic,
    flight: u32,
) {
    let segment = connection.segment_bytes();
    let window = connection.congestion_window;
    let threshold = match which {
        CongestionControl::NewReno => flight.min(window) / 2,
        CongestionControl::Cubic => {
            // Fast convergence: a flow that could not come back makes room for others.
            connection.window_before_loss = if window < connection.window_before_loss {
                (f64::from(window) * (1.0 + BETA) / 2.0) as u32
            } else {
                window
            };
            cubic.epoch = 0;
            (f64::from(window) * BETA) as u32
        }
        CongestionControl::Bbr => return,
    };
    connection.slow_start_threshold = threshold.max(2 * segment);
}

/// A timeout: one segment, and no memory of where the window was (RFC 9438, 4.8).
pub fn collapse(connection: &mut Connection, cubic: &mut Cubic) {
    connection.congestion_window = connection.segment_bytes();
    connection.window_before_loss = 0;
    cubic.epoch = 0;
}

/// Nothing was sent for longer than a timeout: what was learnt of the path is old, and sending
/// begins as on a new connection (RFC 5681, 4.1). The threshold remembers what it reached.
pub fn restart(connection: &mut Connection, initial_window: u32) {
    let initial = connection
        .segment_bytes()
        .saturating_mul(initial_window.max(1));
    connection.congestion_window = connection.congestion_window.min(initial);
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
        let mut connection = Connection::new(&key, State::Established, 0);
        connection.mss = 1000;
        connection.congestion_window = 100_000;
        connection.measure(100_000_000);
        connection
    }

    #[test]
    fn cubic_comes_back_to_the_old_window_after_k() {
        let mut connection = connection();
        connection.congestion_window = 1_000_000;
        let mut cubic = Cubic::default();
        reduce(
            CongestionControl::Cubic,
            &mut connection,
            &mut cubic,
            1_000_000,
        );
        assert_eq!(connection.slow_start_threshold, 700_000);
        assert_eq!(connection.window_before_loss, 1_000_000);
        connection.congestion_window = 700_000;
        // K = cbrt(300 segments / 0.4) = 9.086 s; a round trip of 0.1 s.
        let mut now = 1_000_000_000;
        let start = now;
        while now - start < 9_086_000_000 {
            let window = connection.congestion_window;
            for _ in 0..10 {
                let part = window / 10;
                let which = CongestionControl::Cubic;
                grow(which, &mut connection, &mut cubic, part, true, now);
                now += 10_000_000;
            }
        }
        let window = connection.congestion_window;
        assert!((990_000..1_020_000).contains(&window), "{window}");
    }

    const MILLISECOND: Nanos = 1_000_000;
    const SECOND: Nanos = 1_000_000_000;

    /// One round trip's acknowledgments, in ten parts.
    fn round(connection: &mut Connection, cubic: &mut Cubic, now: &mut Nanos, round_trip: Nanos) {
        let part = connection.congestion_window / 10;
        for _ in 0..10 {
            *now += round_trip / 10;
            grow(
                CongestionControl::Cubic,
                connection,
                cubic,
                part,
                true,
                *now,
            );
        }
    }

    fn lost(connection: &mut Connection, cubic: &mut Cubic) {
        let flight = connection.congestion_window;
        reduce(CongestionControl::Cubic, connection, cubic, flight);
        connection.congestion_window = connection.slow_start_threshold;
    }

    /// RFC 9438, 4.3: at a short round trip it is as fast as Reno, with the smaller reduction made good.
    #[test]
    fn cubic_is_as_friendly_as_reno_on_short_paths() {
        let (mut connection, mut cubic, mut now) = (connection(), Cubic::default(), SECOND);
        lost(&mut connection, &mut cubic);
        assert_eq!(connection.congestion_window, 70_000);
        let grown = |connection: &mut Connection, cubic: &mut Cubic, now: &mut Nanos| {
            let before = connection.congestion_window;
            (0..20).for_each(|_| round(connection, cubic, now, MILLISECOND));
            connection.congestion_window - before
        };
        // 9/17 of a segment in a round trip.
        let slow = grown(&mut connection, &mut cubic, &mut now);
        assert!((9_500..=11_000).contains(&slow), "{slow}");
        while connection.congestion_window < 102_000 {
            round(&mut connection, &mut cubic, &mut now, MILLISECOND);
        }
        // Beyond the window of the loss a whole one.
        let fast = grown(&mut connection, &mut cubic, &mut now);
        assert!((18_500..=20_500).contains(&fast), "{fast}");
    }

    /// RFC 9438, 4.4: half as much again in a round trip at most.
    #[test]
    fn cubic_never_jumps() {
        let (mut connection, mut cubic, mut now) = (connection(), Cubic::default(), SECOND);
        lost(&mut connection, &mut cubic);
        round(&mut connection, &mut cubic, &mut now, 100 * MILLISECOND);
        let before = connection.congestion_window;
        // Acknowledgments that were long on their way: the curve is far above by now.
        now += 100 * SECOND;
        grow(
            CongestionControl::Cubic,
            &mut connection,
            &mut cubic,
            before,
            true,
            now,
        );
        assert_eq!(connection.congestion_window, before + before / 2);
    }

    /// RFC 9438, 4.7: who could not come back to the last loss's window makes room for others.
    #[test]
    fn a_second_loss_below_the_first_remembers_less() {
        let (mut connection, mut cubic) = (connection(), Cubic::default());
        lost(&mut connection, &mut cubic);
        assert_eq!(connection.window_before_loss, 100_000);
        connection.congestion_window = 90_000;
        lost(&mut connection, &mut cubic);
        assert_eq!(connection.window_before_loss, 76_500, "85 % of it");
        connection.congestion_window = 80_000;
        lost(&mut connection, &mut cubic);
        assert_eq!(connection.window_before_loss, 80_000);
    }

    /// A loss, a timeout, and time in which the window was not used begin the curve anew or halt it.
    #[test]
    fn the_curve_counts_from_the_last_loss_and_only_while_it_is_used() {
        let curve = |event: &dyn Fn(&mut Connection, &mut Cubic, &mut Nanos)| {
            let (mut connection, mut cubic, mut now) = (connection(), Cubic::default(), SECOND);
            lost(&mut connection, &mut cubic);
            round(&mut connection, &mut cubic, &mut now, 100 * MILLISECOND);
            event(&mut connection, &mut cubic, &mut now);
            connection.congestion_window = 70_000;
            connection.slow_start_threshold = 70_000;
            round(&mut connection, &mut cubic, &mut now, 100 * MILLISECOND);
            connection.congestion_window - 70_000
        };
        let used = curve(&|_, _, now| *now += 60 * SECOND);
        assert!(used > 30_000, "{used}");
        let again = curve(&|connection, cubic, now| {
            *now += 60 * SECOND;
            connection.congestion_window = 100_000;
            lost(connection, cubic);
        });
        assert!(again < 3_000, "a loss: {again}");
        let unused = curve(&|connection, cubic, now| {
            for _ in 0..60 {
                *now += SECOND;
                grow(
                    CongestionControl::Cubic,
                    connection,
                    cubic,
                    1_000,
                    false,
                    *now,
                );
            }
        });
        assert!(unused < 6_000, "time without use: {unused}");
        let timeout = curve(&|connection, cubic, now| {
            *now += 60 * SECOND;
            collapse(connection, cubic);
            assert_eq!(connection.congestion_window, 1_000);
        });
        assert!(
            timeout < 1_000,
            "a timeout, whose plateau is here: {timeout}"
        );
    }

    /// RFC 5681, 3.1: slow start ends at the threshold, which is two segments at least.
    #[test]
    fn slow_start_ends_at_the_threshold() {
        let (mut connection, mut cubic) = (connection(), Cubic::default());
        connection.congestion_window = 49_500;
        connection.slow_start_threshold = 50_000;
        grow(
            CongestionControl::Cubic,
            &mut connection,
            &mut cubic,
            400,
            true,
            5,
        );
        assert_eq!(connection.congestion_window, 49_900);
        grow(
            CongestionControl::Cubic,
            &mut connection,
            &mut cubic,
            9_000,
            true,
            5,
        );
        assert_eq!(connection.congestion_window, 50_000);
        for which in [CongestionControl::Cubic, CongestionControl::NewReno] {
            connection.congestion_window = 1_000;
            reduce(which, &mut connection, &mut cubic, 1_000);
            assert_eq!(connection.slow_start_threshold, 2_000, "{which:?}");
        }
    }

    /// RFC 5681, 4.1: an idle connection's window is the initial one at most.
    #[test]
    fn restarting_never_raises_the_window() {
        let mut connection = connection();
        connection.congestion_window = 3_000;
        restart(&mut connection, 10);
        assert_eq!(connection.congestion_window, 3_000);
        connection.congestion_window = 30_000;
        restart(&mut connection, 10);
        assert_eq!(connection.congestion_window, 10_000);
    }

    #[test]
    fn new_reno_grows_one_segment_in_a_round_trip() {
        let mut connection = connection();
        connection.slow_start_threshold = 50_000;
        let mut cubic = Cubic::default();
        for _ in 0..100 {
            grow(
                CongestionControl::NewReno,
                &mut connection,
                &mut cubic,
                1000,
                true,
                5,
            );
        }
        let window = connection.congestion_window;
        assert!((100_900..=101_000).contains(&window), "{window}");
        reduce(
            CongestionControl::NewReno,
            &mut connection,
            &mut cubic,
            80_000,
        );
        assert_eq!(connection.slow_start_threshold, 40_000);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut connection = connection();
        let mut cubic = Cubic::default();
        grow(
            CongestionControl::Cubic,
            &mut connection,
            &mut cubic,
            1000,
            false,
            5,
        );
        assert_eq!(connection.congestion_window, 100_000);
    }
}
