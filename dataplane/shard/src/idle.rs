//! What the loop does when there is nothing to do.

use crate::options::IdlePolicy;

/// The next turn's way of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Look again at once.
    Spin,
    /// Let another thread of this core run, then look again.
    Yield,
    /// Sleep until something happens or is due.
    Sleep,
}

/// Remembers since when there was nothing to do.
#[derive(Default)]
pub(crate) struct Idle {
    since_us: Option<u64>,
}

impl Idle {
    /// Decides after a turn, as the policy in force says.
    pub fn after_turn(
        &mut self,
        policy: IdlePolicy,
        spin_us: u64,
        worked: bool,
        now_us: u64,
    ) -> Rest {
        if worked {
            self.since_us = None;
            return Rest::Spin;
        }
        match policy {
            IdlePolicy::Busy => Rest::Spin,
            IdlePolicy::Sleep => Rest::Sleep,
            IdlePolicy::Adaptive => {
                let since = *self.since_us.get_or_insert(now_us);
                match now_us.saturating_sub(since) {
                    idle if idle < spin_us => Rest::Spin,
                    idle if idle < spin_us * 2 => Rest::Yield,
                    _ => Rest::Sleep,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adaptive_spins_then_yields_then_sleeps_and_work_begins_anew() {
        let mut adaptive = Idle::default();
        let mut idle =
            |worked, now_us| adaptive.after_turn(IdlePolicy::Adaptive, 50, worked, now_us);
        assert_eq!(idle(false, 1_000), Rest::Spin);
        assert_eq!(idle(false, 1_049), Rest::Spin);
        assert_eq!(idle(false, 1_050), Rest::Yield);
        assert_eq!(idle(false, 1_100), Rest::Sleep);
        assert_eq!(idle(true, 1_200), Rest::Spin);
        assert_eq!(idle(false, 1_300), Rest::Spin);
        let mut idle = Idle::default();
        assert_eq!(
            idle.after_turn(IdlePolicy::Busy, 50, false, u64::MAX),
            Rest::Spin
        );
        assert_eq!(
            idle.after_turn(IdlePolicy::Sleep, 50, false, 0),
            Rest::Sleep
        );
    }
}
