//! One sequence from one seed.

use crate::dice::Dice;
use crate::pair::Pair;
use crate::steps::{self, World};

/// Sends `count` steps, chosen by `seed`, to both brokers. Topics and groups of two seeds do not
/// meet, so that many seeds can run on the same two brokers.
pub fn run(pair: &mut Pair, seed: u64, count: usize) {
    let mut dice = Dice::new(seed);
    let mut world = World::new(seed);
    for _ in 0..count {
        steps::take_one(pair, &mut world, &mut dice);
    }
    steps::groups::static_member(pair, &mut world, &mut dice);
    steps::clean_up(pair, &world);
}
