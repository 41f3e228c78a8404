//! One sequence from one seed.

use crate::dice::Dice;
use crate::pair::Pair;
use crate::steps::{self, World};
use std::io;
use std::time::Duration;

/// How long making the topic of committed offsets, and loading it, may take.
pub const COORDINATORS_MAX: Duration = Duration::from_secs(30);

/// Sends `count` steps, chosen by `seed`, to both brokers. Topics and groups of two seeds do not
/// meet, so that many seeds can run on the same two brokers.
///
/// # Errors
/// One of them does not serve the sequence's groups.
pub fn run(pair: &mut Pair, seed: u64, count: usize) -> io::Result<()> {
    let mut dice = Dice::new(seed);
    let mut world = World::new(seed);
    pair.wait_for_groups(&world.all_groups(), COORDINATORS_MAX)?;
    for _ in 0..count {
        steps::take_one(pair, &mut world, &mut dice);
    }
    steps::groups::static_member(pair, &mut world, &mut dice);
    steps::clean_up(pair, &world);
    Ok(())
}
