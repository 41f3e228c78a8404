//! The two clocks, read once per turn.

use precursor_storage::Now;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How old the wall clock's reading may be. Its unit is a millisecond.
const WALL_AGE_US_MAX: u64 = 500;

/// Reads the monotonic clock each time, and the wall clock when its reading is old.
pub(crate) struct Clock {
    origin: Instant,
    wall_ms: i64,
    wall_read_us: u64,
}

impl Clock {
    pub fn new() -> Self {
        Clock {
            origin: Instant::now(),
            wall_ms: wall_ms(),
            wall_read_us: 0,
        }
    }

    /// What the monotonic clock counts from.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// The monotonic clock alone, now.
    pub fn monotonic_us(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64
    }

    pub fn now(&mut self) -> Now {
        let monotonic_us = self.monotonic_us();
        if monotonic_us - self.wall_read_us > WALL_AGE_US_MAX {
            self.wall_ms = wall_ms();
            self.wall_read_us = monotonic_us;
        }
        Now {
            monotonic_us,
            wall_ms: self.wall_ms,
        }
    }
}

fn wall_ms() -> i64 {
    // A clock before 1970 is no clock: 0 then.
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}
