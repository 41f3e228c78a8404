//! Seeded histories of one group under faults: members join, leave and crash, requests and answers
//! are lost and late, appends fail, the coordinator restarts and replays what is durable. Then the
//! faults stop, and the group must heal. One seed is one history.
//!
//! `PRECURSOR_SIM_SEEDS=FIRST..END` runs others than the default seeds.

mod client;
mod invariants;
mod world;

use std::ops::Range;

const SEEDS: Range<u64> = 0..400;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("PRECURSOR_SIM_SEEDS") else {
        return SEEDS;
    };
    let (first, end) = text.split_once("..").expect("FIRST..END");
    first.parse().expect("a number")..end.parse().expect("a number")
}

#[test]
fn histories_keep_the_invariants_and_heal() {
    let mut total = world::Seen::default();
    for seed in seeds() {
        let result = std::panic::catch_unwind(|| world::World::new(seed).run());
        match result {
            Ok(seen) => total.add(&seen),
            Err(cause) => {
                eprintln!("the history of seed {seed} broke an invariant");
                std::panic::resume_unwind(cause);
            }
        }
    }
    println!("{total:?}");
    // A simulation in which nothing happens proves nothing.
    if seeds() == SEEDS {
        assert!(total.restarts > 100 && total.generations > 1_000 && total.takeovers > 10);
        assert!(total.commits_acknowledged > 1_000 && total.appends_failed > 100);
        assert!(total.past_requests > 50);
    }
}

#[test]
fn one_seed_is_one_history() {
    assert_eq!(world::World::new(7).run(), world::World::new(7).run());
}
