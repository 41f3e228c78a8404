//! The committed corpus, and mutations of it from a fixed seed, through the fuzzer's targets.
//!
//! `PRECURSOR_FUZZ_SECONDS` sets how long each target is mutated (default 2), and
//! `PRECURSOR_FUZZ_SEED` the seed. The fuzzer proper, which follows coverage, is in tests/fuzz.

use super::targets;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/corpus")
        .join(target)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Values that lengths, counts and flags like least.
const EDGES: [&[u8]; 8] = [
    &[0],
    &[0xff],
    &[0x7f],
    &[0xff, 0xff],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x80, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
];

fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        match random.below(8) {
            0 => input.truncate(at),
            1 => input.insert(at, random.next() as u8),
            2 if at < input.len() => drop(input.remove(at)),
            3 if at < input.len() => input[at] ^= 1 << random.below(8),
            4 if at < input.len() => input[at] = random.next() as u8,
            5 => {
                let edge = EDGES[random.below(EDGES.len())];
                let end = input.len().min(at + edge.len());
                input[at..end].copy_from_slice(&edge[..end - at]);
            }
            6 => {
                let from = random.below(other.len());
                let to = from + random.below(other.len() - from).min(64);
                let piece = other[from..to].to_vec();
                input.splice(at..at, piece);
            }
            _ => {
                let to = at + random.below(input.len() - at).min(64);
                let piece = input[at..to].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
    input.truncate(1 << 16);
}

fn run(target: &str, function: fn(&[u8])) {
    let mut paths: Vec<PathBuf> = fs::read_dir(corpus(target))
        .expect("the corpus is committed")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    let inputs: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| fs::read(path).expect("readable"))
        .collect();
    assert!(inputs.len() > 4, "{target} has hardly any corpus");
    for (input, path) in inputs.iter().zip(&paths) {
        attempt(function, input, || path.display().to_string());
    }
    let seed = setting("PRECURSOR_FUZZ_SEED", 1);
    let seconds = setting("PRECURSOR_FUZZ_SECONDS", 2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = Random(seed);
    let mut rounds = 0_u64;
    while Instant::now() < end {
        for _ in 0..256 {
            let mut input = inputs[random.below(inputs.len())].clone();
            let other = &inputs[random.below(inputs.len())];
            mutate(&mut input, other, &mut random);
            attempt(function, &input, || format!("seed {seed} round {rounds}"));
            rounds += 1;
        }
    }
    println!(
        "{target}: {} inputs, {rounds} mutations, seed {seed}",
        inputs.len()
    );
}

/// Names the input that a target fails on, so that it can join the corpus.
fn attempt(function: fn(&[u8]), input: &[u8], about: impl FnOnce() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| function(input))) {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{}: input {hex}", about());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn frames() {
    run("frames", targets::frames);
}

#[test]
fn messages() {
    run("messages", targets::messages);
}

#[test]
fn batches() {
    run("batches", targets::batches);
}

#[test]
fn native() {
    run("native", targets::native);
}
