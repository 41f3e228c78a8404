//! Choices from a seed.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// One seed makes one sequence of choices.
pub(crate) struct Dice(SmallRng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(SmallRng::seed_from_u64(seed))
    }

    /// One of these, which are not none.
    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())].clone()
    }

    /// True once in `out_of` times.
    pub fn once_in(&mut self, out_of: u32) -> bool {
        self.0.random_range(0..out_of) == 0
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i16, high: i16) -> i16 {
        self.0.random_range(low..=high)
    }
}
