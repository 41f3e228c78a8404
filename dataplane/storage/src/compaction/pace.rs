//! How fast a thread of the background may read and write, and whether it is to go on at all.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the thread sleeps before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(50);
/// Unused allowance of this long may be caught up on at most.
const CREDIT: f64 = 1.0;

/// Counts bytes read and written against a rate. Belongs to the thread that works.
pub(crate) struct Pace {
    bytes_per_second: f64,
    since: Instant,
    bytes: f64,
    stop: Arc<AtomicBool>,
}

impl Pace {
    /// At most `bytes_per_second`, until `stop` is set.
    pub fn new(bytes_per_second: f64, stop: Arc<AtomicBool>) -> Pace {
        Pace {
            bytes_per_second,
            since: Instant::now(),
            bytes: 0.0,
            stop,
        }
    }

    /// Notes bytes read or written; sleeps when that was too fast.
    ///
    /// # Errors
    /// `Interrupted`: the run is to end.
    pub fn spend(&mut self, bytes: usize) -> io::Result<()> {
        self.bytes += bytes as f64;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            let elapsed = self.since.elapsed().as_secs_f64();
            let due = self.bytes / self.bytes_per_second;
            if due <= elapsed {
                if elapsed - due > CREDIT {
                    self.since = Instant::now();
                    self.bytes = 0.0;
                }
                return Ok(());
            }
            std::thread::sleep(NAP.min(Duration::from_secs_f64(due - elapsed)));
        }
    }
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
        let mut pace = Pace::new(1e6, stop.clone());
        let begun = Instant::now();
        for _ in 0..10 {
            pace.spend(20_000).unwrap();
        }
        let taken = begun.elapsed();
        assert!(taken >= Duration::from_millis(190), "{taken:?}");
        let mut unbounded = Pace::new(f64::MAX, stop.clone());
        unbounded.spend(usize::MAX).unwrap();
        stop.store(true, Ordering::Relaxed);
        let stopped = pace.spend(1 << 40).unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::Interrupted);
    }
}
