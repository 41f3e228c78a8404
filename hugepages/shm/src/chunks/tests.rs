//! Memory taken, made ready, given back and taken again.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::*;
use crate::region::tests::Fixture;

fn fixture() -> Fixture {
    Fixture::with(|options| options.pool_bytes = 32 << 20)
}

fn supply(fixture: &Fixture) -> ChunkSupply {
    let region = fixture.region.clone();
    let span = Span {
        start: region.layout().pool(0),
        chunks: 16,
        directory: None,
        refusals_between_asks: 0,
    };
    ChunkSupply::new(region, span, "test".to_owned())
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_micros(200));
    }
}

fn bytes_held(fixture: &Fixture) -> u64 {
    fixture.region.file().metadata().unwrap().blocks() * 512
}

#[test]
fn every_chunk_is_had_once_whoever_asks_for_it_first() {
    let fixture = fixture();
    for ordered in [0, 3, 16] {
        let mut supply = supply(&fixture);
        supply.order(ordered);
        let had: BTreeSet<usize> = std::iter::from_fn(|| supply.next()).collect();
        assert_eq!(had, (0..16).collect());
        assert_eq!(supply.next(), None);
    }
}

#[test]
fn what_is_ordered_is_had_without_waiting_and_memory_given_back_is_the_filesystems() {
    let fixture = fixture();
    let mut supply = supply(&fixture);
    let before = bytes_held(&fixture);
    supply.set_step(3 * CHUNK_BYTES);
    supply.order(4);
    assert_eq!(supply.coming(), 6, "whole steps");
    wait_until("nothing is made ready", || {
        supply.collect();
        supply.ready == 6
    });
    assert_eq!(bytes_held(&fixture) - before, 6 * CHUNK_BYTES as u64);
    for chunk in 0..4 {
        assert_eq!(supply.next(), Some(chunk));
    }
    assert_eq!(supply.counts().waits, 0);
    for chunk in [1, 3] {
        assert!(supply.give_back(chunk));
    }
    supply.give_back_ready();
    wait_until("nothing is given back", || {
        supply.collect();
        supply.counts().given_back == 4
    });
    assert_eq!(bytes_held(&fixture) - before, 2 * CHUNK_BYTES as u64);
    assert_eq!(supply.next(), Some(1), "the lowest");
    assert_eq!(supply.counts().waits, 1);
    assert_eq!(supply.coming(), 2, "the rest of a step");
}

/// What is said of huge pages is what the kernel says of them.
#[test]
fn huge_pages_are_counted_as_the_kernel_counts_them() {
    let fixture = fixture();
    let mut supply = supply(&fixture);
    for _ in 0..4 {
        supply.next_warm().unwrap();
    }
    let told = supply.counts().huge * CHUNK_BYTES;
    assert_eq!(fixture.region.mapping().huge_bytes().unwrap(), told);
    if told == 0 {
        eprintln!("no huge page was had here");
    }
    assert!(supply.give_back(2));
    wait_until("nothing is given back", || {
        supply.collect();
        supply.counts().given_back == 1
    });
    let told = supply.counts().huge * CHUNK_BYTES;
    assert_eq!(fixture.region.mapping().huge_bytes().unwrap(), told);
}

/// Against a list of who has which chunk: orders, takings and givings back in any order.
#[test]
fn seeded_steps_never_lose_a_chunk_or_lend_it_twice() {
    let fixture = fixture();
    for seed in 1..20_u64 {
        let mut supply = supply(&fixture);
        let mut had: Vec<usize> = Vec::new();
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for _ in 0..200 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            match random % 5 {
                0 => supply.order(1 + (random >> 8) as usize % 3),
                1 | 2 => {
                    if let Some(chunk) = supply.next() {
                        assert!(!had.contains(&chunk), "seed {seed}");
                        had.push(chunk);
                    }
                }
                3 if !had.is_empty() => {
                    let at = (random >> 8) as usize % had.len();
                    if supply.give_back(had[at]) {
                        had.swap_remove(at);
                    }
                }
                _ => {
                    supply.give_back_ready();
                }
            }
        }
        wait_until("chunks are lost", || {
            if let Some(chunk) = supply.next() {
                assert!(!had.contains(&chunk), "seed {seed}");
                had.push(chunk);
            }
            had.len() == 16
        });
    }
}
