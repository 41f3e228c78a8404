//! The accounts of all shards: a fixed table of atomic words, no lock.
//!
//! An account is one number, the time at which everything put on it is paid off at its rate (a
//! leaky bucket, as in the generic cell rate algorithm). It may begin up to [`BURST_NS`] in the
//! past: that much is let pass at once.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What an idle client has saved up at most: a second's worth (`quota.window.size.seconds`).
pub(crate) const BURST_NS: u64 = 1_000_000_000;
/// Accounts in use at a time; a power of two. 256 KiB, from the first quota on.
const SLOTS: usize = 1 << 14;
/// Places at which an account may be.
const PROBES: usize = 16;
/// More is not owed at a time.
const COST_NS_MAX: u64 = 1 << 52;

#[derive(Default)]
struct Slot {
    /// 0: never used.
    key: AtomicU64,
    /// When everything is paid, in nanoseconds since the origin.
    paid_ns: AtomicU64,
}

/// Shared by the shards of a process.
pub(crate) struct Buckets {
    slots: OnceLock<Box<[Slot]>>,
    hasher: RandomState,
    origin: Instant,
}

impl Buckets {
    pub fn new() -> Self {
        Buckets {
            slots: OnceLock::new(),
            hasher: RandomState::new(),
            origin: Instant::now(),
        }
    }

    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// The name of an account; never 0. Two of a few thousand share one with a chance of 10⁻¹².
    pub fn key(&self, identity: &impl Hash) -> u64 {
        self.hasher.hash_one(identity).max(1)
    }

    /// Nanoseconds until the account is paid off.
    pub fn owed_ns(&self, key: u64, now_ns: u64) -> u64 {
        let slot = self.slot(key, now_ns);
        slot.paid_ns.load(Ordering::Relaxed).saturating_sub(now_ns)
    }

    /// Puts `cost_ns` on the account; nanoseconds until it is paid off then.
    pub fn charge(&self, key: u64, cost_ns: u64, now_ns: u64) -> u64 {
        let earliest = now_ns.saturating_sub(BURST_NS);
        let charged = |paid: u64| paid.max(earliest) + cost_ns.min(COST_NS_MAX);
        // Relaxed: the number is all that is shared.
        let before = self.slot(key, now_ns).paid_ns.fetch_update(
            Ordering::Relaxed,
            Ordering::Relaxed,
            |paid| Some(charged(paid).min(now_ns + COST_NS_MAX)),
        );
        let (Ok(before) | Err(before)) = before;
        charged(before).saturating_sub(now_ns)
    }

    /// The account's slot: its own, a free one, or one whose account has nothing to say any more.
    /// When all that it may have are in use it shares the first: its clients then wait longer.
    fn slot(&self, key: u64, now_ns: u64) -> &Slot {
        let slots = self
            .slots
            .get_or_init(|| (0..SLOTS).map(|_| Slot::default()).collect());
        let place = |probe: usize| &slots[(key as usize).wrapping_add(probe) & (SLOTS - 1)];
        let own = |slot: &&Slot| slot.key.load(Ordering::Relaxed) == key;
        if let Some(found) = (0..PROBES).map(place).find(own) {
            return found;
        }
        for slot in (0..PROBES).map(place) {
            let present = slot.key.load(Ordering::Relaxed);
            let idle = slot.paid_ns.load(Ordering::Relaxed) + BURST_NS <= now_ns;
            if present != 0 && !idle {
                continue;
            }
            let taken =
                slot.key
                    .compare_exchange(present, key, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() || taken == Err(key) {
                return slot;
            }
        }
        place(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_passes_and_debt_is_paid_with_time() {
        let buckets = Buckets::new();
        let now = 100 * SECOND;
        assert_eq!(buckets.owed_ns(7, now), 0);
        assert_eq!(buckets.charge(7, SECOND, now), 0, "saved up");
        assert_eq!(buckets.charge(7, SECOND, now), SECOND);
        assert_eq!(buckets.owed_ns(7, now + SECOND / 4), SECOND * 3 / 4);
        assert_eq!(buckets.owed_ns(7, now + 2 * SECOND), 0);
        assert_eq!(buckets.owed_ns(8, now), 0);
        // However much it is, it does not overflow and ends some day.
        assert!(buckets.charge(7, u64::MAX, now) > SECOND);
        assert!(buckets.charge(7, u64::MAX, now) > SECOND);
    }

    /// The same accounts at every run: under a key of its own kind a run in some hundred puts one
    /// where all sixteen places are in use, and sharing is then what it shall do.
    #[test]
    fn accounts_that_are_paid_make_room() {
        let buckets = Buckets::new();
        let mut account = 0u64;
        for round in 1..20u64 {
            let now = round * 10 * SECOND;
            for _ in 0..5_000 {
                account = account.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let key = mixed(account);
                assert_eq!(buckets.owed_ns(key, now), 0, "a place of its own");
                buckets.charge(key, 2 * SECOND, now);
                assert_eq!(buckets.owed_ns(key, now), SECOND);
            }
        }
    }

    #[test]
    fn accounts_without_a_place_share_one_and_wait_longer() {
        let buckets = Buckets::new();
        let now = 100 * SECOND;
        let key = |account: u64| account << 14 | 7;
        for account in 1..=PROBES as u64 {
            assert_eq!(buckets.charge(key(account), 2 * SECOND, now), SECOND);
        }
        assert_eq!(buckets.owed_ns(key(99), now), SECOND, "of the first");
        assert_eq!(buckets.charge(key(99), SECOND, now), 2 * SECOND);
        // Paid off, the places are free again.
        assert_eq!(buckets.charge(key(99), SECOND, now + 10 * SECOND), 0);
    }

    /// SplitMix64's finalizer: spreads a counter over all bits.
    fn mixed(counter: u64) -> u64 {
        let mixed = (counter ^ (counter >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    #[test]
    fn threads_lose_nothing() {
        let buckets = Buckets::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        buckets.charge(9, 1_000, 0);
                    }
                });
            }
        });
        assert_eq!(buckets.owed_ns(9, 0), 40_000_000);
    }
}
