//! BBR (draft-cardwell-iccrg-bbr-congestion-control-00): the window and the pace follow what the path
//! was seen to carry and how long its shortest round trip was, not whether a segment was lost.

use super::Connection;
use super::delivery::{Delivery, Sample};
use crate::config::{MILLISECOND, Nanos, SECOND};
use crate::sequence::at_least;

/// 2/ln 2: doubles what is on the way each round trip.
const STARTUP_GAIN: f64 = 2.885;
/// Room for acknowledgments that are held back.
const WINDOW_GAIN: f64 = 2.0;
/// One round trip faster, one slower, six as fast as the path.
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// Round trips over which the largest bandwidth counts.
const ROUNDS: usize = 10;
/// The pipe is full when this many round trips brought less than a quarter more.
const FULL_ROUNDS: u8 = 3;
/// How long the shortest round trip counts, and how long a new one is looked for.
const ROUND_TRIP_LIFE: Nanos = 10 * SECOND;
const ROUND_TRIP_PROBE: Nanos = 200 * MILLISECOND;
/// Segments on the way at least.
const SEGMENTS_MIN: u32 = 4;
/// Bytes that may leave at once, ahead of the pace: what other stacks hand to a card in one piece.
const BURST_BYTES: u64 = 64 << 10;
/// Round trips over which the largest surplus of merged acknowledgments counts, and twice as many
/// while the next such period runs.
const SURPLUS_ROUNDS: u8 = 5;
/// For longer than this nothing is sent ahead of merged acknowledgments.
const SURPLUS_TIME: Nanos = 100 * MILLISECOND;
/// A little less than the path carries, so that no queue grows.
const MARGIN: f64 = 0.99;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Startup,
    /// What startup put into the queue runs off.
    Drain,
    ProbeBandwidth,
    ProbeRoundTrip,
}

/// The state beside the window, which lives in the control block.
#[derive(Default)]
pub struct Bbr {
    mode: Mode,
    /// Bytes per second, the largest of each round trip.
    bandwidths: [u64; ROUNDS],
    round: usize,
    /// A round trip ends when a segment arrives that left after this much had been delivered.
    round_end: u32,
    full_bandwidth: u64,
    full_rounds: u8,
    is_full: bool,
    /// 0: not known.
    round_trip_min: Nanos,
    round_trip_min_at: Nanos,
    /// When the look for a shorter round trip ends; 0: what is on the way has not run off yet.
    probe_done_at: Nanos,
    window_before_probe: u32,
    cycle: usize,
    cycle_at: Nanos,
    /// In the first round trip of a recovery only what arrived is replaced.
    conserves_until: Option<u32>,
    surplus: Surplus,
    was_recovering: bool,
    /// Bytes per second that may leave; 0: no measure yet.
    pace: u64,
    /// When the next segment may leave.
    next_at: Nanos,
    /// Something waits for that.
    waits: bool,
}

/// How much more than the bandwidth explains arrives at once, where receivers or the path merge
/// acknowledgments (draft-cardwell-iccrg-bbr-congestion-control-02, 4.5.6). That much has to be on
/// the way beside, lest the path runs dry until the next ones come.
#[derive(Default)]
struct Surplus {
    since: Nanos,
    /// Bytes that were acknowledged since.
    bytes: u64,
    /// The largest of this period and of the one before it.
    most: [u64; 2],
    rounds: u8,
}

impl Surplus {
    fn take(&mut self, bandwidth: u64, round_started: bool, window: u32, progress: &Progress) {
        if round_started {
            self.rounds += 1;
            if self.rounds >= SURPLUS_ROUNDS {
                self.rounds = 0;
                self.most = [0, self.most[0]];
            }
        }
        let elapsed = progress.now.saturating_sub(self.since);
        let explained = |elapsed: Nanos| (bandwidth as f64 * elapsed as f64 / 1e9) as u64;
        let mut expected = explained(elapsed);
        if self.bytes <= expected {
            (self.since, self.bytes, expected) = (progress.now, 0, 0);
        }
        self.bytes += u64::from(progress.bytes);
        let surplus = self.bytes.saturating_sub(expected).min(u64::from(window));
        self.most[0] = self.most[0].max(surplus);
    }

    fn bytes(&self, bandwidth: u64) -> u32 {
        let bound = (bandwidth as f64 * SURPLUS_TIME as f64 / 1e9) as u64;
        let most = self.most[0].max(self.most[1]).min(bound);
        most.min(1 << 30) as u32
    }
}

/// What an acknowledgment changed.
pub struct Progress {
    /// Bytes that arrived, and bytes found lost.
    pub bytes: u32,
    pub lost: u32,
    /// Of the segment that left last and only once.
    pub round_trip: Option<Nanos>,
    /// Bytes on the way before and after.
    pub pipe_before: u32,
    pub pipe: u32,
    pub recovering: bool,
    /// The window when the recovery began.
    pub window_before: u32,
    pub now: Nanos,
}

impl Bbr {
    /// Bytes per second that the path was seen to carry.
    fn bandwidth(&self) -> u64 {
        self.bandwidths.iter().copied().max().unwrap_or(0)
    }

    /// Whether a segment may leave; where not, [`Bbr::wakes_at`] says when.
    pub fn may_send(&mut self, connection: &Connection, now: Nanos) -> bool {
        if self.pace == 0 {
            self.first_pace(connection);
        }
        let ahead = BURST_BYTES.min(self.pace / 1_000 + 1) * SECOND / self.pace.max(1);
        self.waits = self.next_at > now + ahead;
        !self.waits
    }

    /// Bytes left.
    pub fn sent(&mut self, bytes: u32, now: Nanos) {
        let takes = u64::from(bytes) * SECOND / self.pace.max(1);
        // What a timer came too late for is made up, not what nobody wanted to send.
        let from = self.next_at.max(now.saturating_sub(MILLISECOND / 4));
        self.next_at = from + takes;
    }

    /// When what waits for the pace may leave; 0: nothing does.
    pub fn wakes_at(&self) -> Nanos {
        if self.waits { self.next_at } else { 0 }
    }

    pub fn woke(&mut self) {
        self.waits = false;
    }

    fn first_pace(&mut self, connection: &Connection) {
        let round_trip = connection.round_trip().unwrap_or(MILLISECOND).max(1);
        let window = f64::from(connection.congestion_window);
        self.pace = (STARTUP_GAIN * window * 1e9 / round_trip as f64).max(1.0) as u64;
    }

    /// Takes an acknowledgment in: sets the window and the pace.
    pub fn acknowledged(
        &mut self,
        connection: &mut Connection,
        delivery: &mut Delivery,
        sample: Option<&Sample>,
        progress: &Progress,
    ) {
        let mut round_started = false;
        if let Some(sample) = sample {
            round_started = self.count_round(sample, delivery);
            self.take_bandwidth(connection, sample);
            if round_started {
                self.check_full(sample);
            }
        }
        let window = connection.congestion_window;
        self.surplus
            .take(self.bandwidth(), round_started, window, progress);
        self.leave_startup(connection, progress);
        self.turn_cycle(connection, progress);
        self.take_round_trip(connection, delivery, round_started, progress);
        self.set_pace();
        self.set_window(connection, delivery, round_started, progress);
    }

    fn count_round(&mut self, sample: &Sample, delivery: &Delivery) -> bool {
        if !at_least(sample.stamp.delivered, self.round_end) {
            return false;
        }
        self.round_end = delivery.delivered();
        self.round = (self.round + 1) % ROUNDS;
        self.bandwidths[self.round] = 0;
        true
    }

    fn take_bandwidth(&mut self, connection: &Connection, sample: &Sample) {
        // Shorter than any round trip: merged acknowledgments, or an ambiguous retransmission.
        if sample.interval == 0 || sample.interval < connection.round_trip_min() {
            return;
        }
        let bandwidth = (f64::from(sample.bytes) * 1e9 / sample.interval as f64) as u64;
        if !sample.stamp.limited || bandwidth >= self.bandwidth() {
            let most = &mut self.bandwidths[self.round];
            *most = bandwidth.max(*most);
        }
    }

    fn check_full(&mut self, sample: &Sample) {
        if self.is_full || sample.stamp.limited {
            return;
        }
        let bandwidth = self.bandwidth();
        if bandwidth >= self.full_bandwidth + self.full_bandwidth / 4 {
            self.full_bandwidth = bandwidth;
            self.full_rounds = 0;
            return;
        }
        self.full_rounds += 1;
        self.is_full = self.full_rounds >= FULL_ROUNDS;
    }

    fn leave_startup(&mut self, connection: &Connection, progress: &Progress) {
        if self.mode == Mode::Startup && self.is_full {
            self.mode = Mode::Drain;
        }
        if self.mode == Mode::Drain && progress.pipe <= self.product(connection, 1.0) {
            self.probe_bandwidth(connection, progress.now);
        }
    }

    fn probe_bandwidth(&mut self, connection: &Connection, now: Nanos) {
        self.mode = Mode::ProbeBandwidth;
        // Anywhere but in the slow phase; connections that began together shall not go together.
        self.cycle = [0, 2, 3, 4, 5, 6, 7][connection.timestamp_offset as usize % 7];
        self.cycle_at = now;
    }

    fn turn_cycle(&mut self, connection: &Connection, progress: &Progress) {
        if self.mode != Mode::ProbeBandwidth {
            return;
        }
        let full_length = progress.now.saturating_sub(self.cycle_at) > self.round_trip_min;
        let gain = CYCLE[self.cycle];
        let is_over = if gain > 1.0 {
            let reached = progress.pipe_before >= self.product(connection, gain);
            full_length && (progress.lost > 0 || reached)
        } else if gain < 1.0 {
            full_length || progress.pipe_before <= self.product(connection, 1.0)
        } else {
            full_length
        };
        if is_over {
            self.cycle = (self.cycle + 1) % CYCLE.len();
            self.cycle_at = progress.now;
        }
    }

    /// Follows the shortest round trip, and looks for it where none was seen for long.
    fn take_round_trip(
        &mut self,
        connection: &mut Connection,
        delivery: &mut Delivery,
        round_started: bool,
        progress: &Progress,
    ) {
        let now = progress.now;
        let is_old = self.round_trip_min != 0
            && now.saturating_sub(self.round_trip_min_at) > ROUND_TRIP_LIFE;
        if let Some(round_trip) = progress.round_trip
            && (self.round_trip_min == 0 || round_trip <= self.round_trip_min || is_old)
        {
            self.round_trip_min = round_trip.max(1);
            self.round_trip_min_at = now;
        }
        if is_old && self.mode != Mode::ProbeRoundTrip {
            self.mode = Mode::ProbeRoundTrip;
            self.window_before_probe = connection.congestion_window;
            self.probe_done_at = 0;
        }
        if self.mode != Mode::ProbeRoundTrip {
            return;
        }
        // What is measured now is of our own making.
        delivery.limit(progress.pipe);
        let few = SEGMENTS_MIN * connection.segment_bytes();
        if self.probe_done_at == 0 && progress.pipe <= few {
            self.probe_done_at = now + ROUND_TRIP_PROBE;
        } else if self.probe_done_at != 0 && round_started && now >= self.probe_done_at {
            self.round_trip_min_at = now;
            let window = connection.congestion_window.max(self.window_before_probe);
            connection.congestion_window = window;
            if self.is_full {
                self.probe_bandwidth(connection, now);
            } else {
                self.mode = Mode::Startup;
            }
        }
    }

    fn gain(&self) -> f64 {
        match self.mode {
            Mode::Startup => STARTUP_GAIN,
            Mode::Drain => 1.0 / STARTUP_GAIN,
            Mode::ProbeBandwidth => CYCLE[self.cycle],
            Mode::ProbeRoundTrip => 1.0,
        }
    }

    fn set_pace(&mut self) {
        let pace = (self.gain() * self.bandwidth() as f64 * MARGIN) as u64;
        // Until the pipe is full, early measures do not slow it down.
        if pace > 0 && (self.is_full || pace > self.pace) {
            self.pace = pace;
        }
    }

    /// Bandwidth times round trip, in bytes, with room for bursts on both sides.
    fn product(&self, connection: &Connection, gain: f64) -> u32 {
        if self.round_trip_min == 0 {
            return u32::MAX;
        }
        let bytes = self.bandwidth() as f64 * self.round_trip_min as f64 / 1e9 * gain;
        let burst = BURST_BYTES.min(self.pace / 1_000) as u32;
        let few = SEGMENTS_MIN * connection.segment_bytes();
        (bytes as u32).saturating_add(3 * burst).max(few)
    }

    fn set_window(
        &mut self,
        connection: &mut Connection,
        delivery: &Delivery,
        round_started: bool,
        progress: &Progress,
    ) {
        let segment = connection.segment_bytes();
        let mut window = connection.congestion_window;
        let recovering = progress.recovering;
        window = window.saturating_sub(progress.lost).max(segment);
        if recovering && !self.was_recovering {
            self.conserves_until = Some(delivery.delivered());
            self.round_end = delivery.delivered();
            window = progress.pipe.saturating_add(progress.bytes);
        } else if !recovering && self.was_recovering {
            self.conserves_until = None;
            window = window.max(progress.window_before);
        } else if round_started {
            self.conserves_until = None;
        }
        self.was_recovering = recovering;
        if self.conserves_until.is_some() {
            window = window.max(progress.pipe.saturating_add(progress.bytes));
        } else if progress.bytes > 0 {
            let gain = if self.mode == Mode::Startup || self.mode == Mode::Drain {
                STARTUP_GAIN
            } else {
                WINDOW_GAIN
            };
            let mut target = self.product(connection, gain);
            if self.is_full {
                target = target.saturating_add(self.surplus.bytes(self.bandwidth()));
            }
            let grown = window.saturating_add(progress.bytes);
            if self.is_full {
                window = grown.min(target);
            } else if window < target {
                window = grown;
            }
        }
        let few = SEGMENTS_MIN * segment;
        window = window.clamp(few, 1 << 30);
        if self.mode == Mode::ProbeRoundTrip {
            window = window.min(few);
        }
        connection.congestion_window = window;
    }
}
