//! How much of the disk and of a processor cold compression may have.

use crate::compaction::Pace;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

/// Belongs to the thread that compresses.
pub(crate) struct Throttle {
    pace: Pace,
    cpu_percent: u32,
    active: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Throttle {
    /// `cpu_percent`: of one processor, 1 to 100, together with the other runs that are `active`.
    pub fn shared(
        bytes_per_second: f64,
        cpu_percent: u32,
        active: Arc<AtomicUsize>,
        stop: Arc<AtomicBool>,
    ) -> Throttle {
        Throttle {
            pace: Pace::shared(bytes_per_second, active.clone(), stop.clone()),
            cpu_percent: cpu_percent.clamp(1, 100),
            active,
            stop,
        }
    }

    /// The pace of reading and writing.
    pub fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    /// Does something that takes a processor, and rests in proportion.
    ///
    /// # Errors
    /// What the work says; `Interrupted`: the run is to end.
    pub fn work<T>(&mut self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let begun = Instant::now();
        let done = work()?;
        let share = f64::from(self.cpu_percent) / crate::compaction::sharers(&self.active);
        if share < 100.0 {
            let rest = (100.0 - share) / share;
            crate::compaction::nap(begun.elapsed().mul_f64(rest), &self.stop)?;
        }
        Ok(done)
    }
}

/// What this thread has had of a processor so far; by the clock where the system does not say.
pub(crate) fn cpu_time(since: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = said.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_quarter_of_a_processor_rests_three_quarters_of_the_time() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut throttle = Throttle::shared(f64::MAX, 25, Arc::default(), stop.clone());
        let begun = Instant::now();
        let work = || {
            std::thread::sleep(Duration::from_millis(20));
            Ok(())
        };
        throttle.work(work).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(79));
        stop.store(true, Ordering::Relaxed);
        let stopped = throttle.work(work).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
    }
}
