//! How long a dead child stays down: quick first, then doubling, bounded.

/// The pause before the first restart.
const FIRST_MS: u64 = 10;

/// The longest pause: a child that dies again and again is tried once a second, because every pause is
/// an outage for clients, and one start a second costs a machine little.
const LAST_MS: u64 = 1_000;

/// A child that served this long was well; its next death is a new story.
const WELL_AFTER_MS: u64 = 1_000;

/// One child's pauses.
#[derive(Debug, Default)]
pub struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The pause before the next start, given how long the child had been ready when it died
    /// (`None`: it never was).
    pub fn pause_ms(&mut self, ready_for_ms: Option<u64>) -> u64 {
        if ready_for_ms.is_some_and(|served| served >= WELL_AFTER_MS) {
            self.deaths = 0;
        }
        let pause = FIRST_MS.saturating_mul(1 << self.deaths.min(16));
        self.deaths += 1;
        pause.min(LAST_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_begin_anew_after_good_service() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..12).map(|_| backoff.pause_ms(None)).collect();
        let expected = [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000, 1000];
        assert_eq!(pauses, expected);
        assert_eq!(backoff.pause_ms(Some(999)), 1000);
        assert_eq!(backoff.pause_ms(Some(1000)), 10);
        assert_eq!(backoff.pause_ms(Some(0)), 20);
        for _ in 0..100 {
            assert!(backoff.pause_ms(None) <= LAST_MS);
        }
    }
}
