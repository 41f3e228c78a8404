//! Notices a shard that takes no turns any more.

use std::time::{Duration, Instant};

/// Between two looks no more time than this counts: the whole process, or its machine, may have
/// stood still.
const STEP_MAX: Duration = Duration::from_secs(1);

/// A shard takes a turn at least twice a second, also when nothing happens. One that does not is
/// caught in a loop or a call that does not return: its clients wait for nothing, and only a new
/// process helps them.
pub struct Watchdog {
    limit: Duration,
    looked: Option<Instant>,
    shards: Vec<Watched>,
}

#[derive(Clone, Copy, Default)]
struct Watched {
    turns: u64,
    still: Duration,
}

impl Watchdog {
    /// With a limit of zero nothing is watched.
    pub fn new(limit: Duration, shards: usize) -> Self {
        Watchdog {
            limit,
            looked: None,
            shards: vec![Watched::default(); shards],
        }
    }

    /// How often to look; `None`: not at all.
    pub fn interval(&self) -> Option<Duration> {
        (!self.limit.is_zero()).then(|| (self.limit / 4).min(STEP_MAX))
    }

    /// Takes how many turns each shard has taken so far; the first that stands still for too long.
    pub fn look(&mut self, now: Instant, turns: impl Iterator<Item = u64>) -> Option<usize> {
        let before = self.looked.replace(now).unwrap_or(now);
        let step = now.duration_since(before).min(STEP_MAX);
        for (shard, turns) in self.shards.iter_mut().zip(turns) {
            if turns == shard.turns {
                shard.still += step;
            } else {
                *shard = Watched {
                    turns,
                    still: Duration::ZERO,
                };
            }
        }
        let stuck = |shard: &Watched| !self.limit.is_zero() && shard.still >= self.limit;
        self.shards.iter().position(stuck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shard_that_stands_still_is_named() {
        let mut watchdog = Watchdog::new(Duration::from_secs(3), 2);
        let mut now = Instant::now();
        let mut look = |turns: [u64; 2], seconds| {
            now += Duration::from_secs(seconds);
            watchdog.look(now, turns.into_iter())
        };
        assert_eq!(look([1, 1], 0), None);
        for turn in 2..20 {
            assert_eq!(look([turn, turn], 1), None);
        }
        assert_eq!(look([20, 19], 1), None);
        assert_eq!(look([21, 19], 1), None);
        assert_eq!(look([22, 19], 1), Some(1));
        assert_eq!(look([23, 20], 1), None, "it goes on");
    }

    #[test]
    fn a_process_that_was_stopped_as_a_whole_is_not_blamed() {
        let mut watchdog = Watchdog::new(Duration::from_secs(3), 1);
        let begun = Instant::now();
        assert_eq!(watchdog.look(begun, [7].into_iter()), None);
        let later = begun + Duration::from_secs(600);
        assert_eq!(watchdog.look(later, [7].into_iter()), None);
    }

    #[test]
    fn without_a_limit_nothing_is_watched() {
        let mut watchdog = Watchdog::new(Duration::ZERO, 1);
        assert_eq!(watchdog.interval(), None);
        let begun = Instant::now();
        for second in 0..100 {
            let now = begun + Duration::from_secs(second);
            assert_eq!(watchdog.look(now, [7].into_iter()), None);
        }
    }
}
