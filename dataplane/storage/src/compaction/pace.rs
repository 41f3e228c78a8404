//! How fast a thread of the background may read and write, and whether it is to go on at all.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long the thread sleeps before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(50);
/// Unused allowance of this long may be caught up on at most.
const CREDIT: f64 = 1.0;

/// Counts bytes read and written against a rate. Belongs to the thread that works.
pub(crate) struct Pace {
    bytes_per_second: f64,
    /// Runs that share the rate, this one among them.
    active: Arc<AtomicUsize>,
    since: Instant,
    /// What was read and written since, in seconds at the rate.
    due: f64,
    stop: Arc<AtomicBool>,
}

impl Pace {
    /// At most `bytes_per_second` together with the other runs that are `active`, until `stop` is
    /// set.
    pub fn shared(bytes_per_second: f64, active: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Pace {
        Pace {
            bytes_per_second,
            active,
            since: Instant::now(),
            due: 0.0,
            stop,
        }
    }

    /// Notes bytes read or written; sleeps when that was too fast.
    ///
    /// # Errors
    /// `Interrupted`: the run is to end.
    pub fn spend(&mut self, bytes: usize) -> io::Result<()> {
        let share = self.bytes_per_second / sharers(&self.active);
        self.due += bytes as f64 / share;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            let elapsed = self.since.elapsed().as_secs_f64();
            let due = self.due;
            if due <= elapsed {
                if elapsed - due > CREDIT {
                    self.since = Instant::now();
                    self.due = 0.0;
                }
                return Ok(());
            }
            std::thread::sleep(NAP.min(Duration::from_secs_f64(due - elapsed)));
        }
    }
}

/// Among how many runs something is shared.
pub(crate) fn sharers(active: &AtomicUsize) -> f64 {
    active.load(Ordering::Relaxed).max(1) as f64
}

/// Sleeps, until the end or a stop.
///
/// # Errors
/// `Interrupted`: the run is to end.
pub(crate) fn nap(length: Duration, stop: &AtomicBool) -> io::Result<()> {
    let until = Instant::now() + length;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(NAP.min(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_and_a_stop_is_heard() {
        let stop = Arc::new(AtomicBool::new(false));
        let active = Arc::new(AtomicUsize::new(0));
        let mut pace = Pace::shared(1e6, active.clone(), stop.clone());
        let begun = Instant::now();
        for _ in 0..10 {
            pace.spend(20_000).unwrap();
        }
        let taken = begun.elapsed();
        assert!(taken >= Duration::from_millis(190), "{taken:?}");
        active.store(2, Ordering::Relaxed);
        let begun = Instant::now();
        pace.spend(100_000).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(150), "not shared");
        let mut unbounded = Pace::shared(f64::MAX, active, stop.clone());
        unbounded.spend(usize::MAX).unwrap();
        stop.store(true, Ordering::Relaxed);
        let stopped = pace.spend(1 << 40).unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::Interrupted);
    }
}
