//! The committed corpus, and mutations of it from a fixed seed, through the fuzzer's targets.
//!
//! `PRECURSOR_FUZZ_SECONDS` sets how long it is mutated (default 2), and `PRECURSOR_FUZZ_SEED` the
//! seed. The fuzzer proper, which follows coverage, is in tests/fuzz.

use super::{partitions, targets};
use precursor_disk::sim::Random;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Values that lengths, counts and positions like least.
const EDGES: [&[u8]; 6] = [
    &[0; 8],
    &[0xff; 8],
    &[0xff; 4],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    &[0, 0x10, 0, 0],
];

fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        // The summary and the first chunk's prefix are where most is decided.
        let within = match random.once_in(2) {
            true => input.len().min(4 + 64 + 16),
            false => input.len(),
        };
        let at = random.below(within as u64 + 1) as usize;
        match random.below(7) {
            0 if random.once_in(4) => input.truncate(at),
            1 => input.insert(at, random.number() as u8),
            2 if at < input.len() => drop(input.remove(at)),
            3 if at < input.len() => input[at] ^= 1 << random.below(8),
            4 => {
                let edge = EDGES[random.below(EDGES.len() as u64) as usize];
                let end = input.len().min(at + edge.len());
                input[at..end].copy_from_slice(&edge[..end - at]);
            }
            5 => {
                let from = random.below(other.len() as u64) as usize;
                let to = (from + random.below(64) as usize).min(other.len());
                let end = input.len().min(at + (to - from));
                input[at..end].copy_from_slice(&other[from..from + (end - at)]);
            }
            _ => {
                let to = (at + random.below(64) as usize).min(input.len());
                let piece = input[at..to].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
    if let Some(first) = input.first_mut() {
        *first = *first & !1 | random.below(2) as u8;
    }
}

fn attempt(target: fn(&[u8]), input: &[u8], about: impl FnOnce() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{}: input {hex}", about());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn containers() {
    replay("containers", targets::containers);
}

#[test]
fn transaction_indexes() {
    replay("transaction_indexes", targets::transaction_indexes);
}

#[test]
fn segments() {
    replay("segments", partitions::segments);
}

#[test]
fn indexes() {
    replay("indexes", partitions::indexes);
}

#[test]
fn checkpoints() {
    replay("checkpoints", partitions::checkpoints);
}

#[test]
fn snapshots() {
    replay("snapshots", partitions::snapshots);
}

#[test]
fn leftovers() {
    replay("leftovers", partitions::leftovers);
}

#[test]
fn regions() {
    replay("regions", partitions::regions);
}

fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let corpus = corpus.join(name);
    let mut inputs = Vec::new();
    for entry in fs::read_dir(corpus).expect("the corpus is committed") {
        let path = entry.expect("readable").path();
        inputs.push((
            path.display().to_string(),
            fs::read(&path).expect("readable"),
        ));
    }
    inputs.sort();
    assert!(inputs.len() > 4, "there is hardly any corpus");
    for (name, input) in &inputs {
        attempt(target, input, || name.clone());
    }
    let seed = setting("PRECURSOR_FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(setting("PRECURSOR_FUZZ_SECONDS", 2));
    let mut random = Random::new(seed);
    let mut rounds = 0_u64;
    while Instant::now() < end {
        let choose = |random: &mut Random| random.below(inputs.len() as u64) as usize;
        let mut input = inputs[choose(&mut random)].1.clone();
        let other = &inputs[choose(&mut random)].1;
        mutate(&mut input, other, &mut random);
        attempt(target, &input, || format!("seed {seed} round {rounds}"));
        rounds += 1;
    }
    println!("{} inputs, {rounds} mutations, seed {seed}", inputs.len());
}
