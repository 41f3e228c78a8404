//! Frames from an enemy: the committed corpus, and mutations of it from a fixed seed, through the
//! fuzzer's target.
//!
//! `PRECURSOR_FUZZ_SECONDS` sets how long it is mutated (default 2), and `PRECURSOR_FUZZ_SEED` the
//! seed. The fuzzer proper, which follows coverage, is in tests/fuzz.

mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/netstack");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the corpus is committed")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("readable");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
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

fn mutate(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        match random.below(6) {
            0 => input.truncate(at),
            1 => input.insert(at, random.next() as u8),
            2 if at < input.len() => input[at] ^= 1 << random.below(8),
            3 if at < input.len() => input[at] = random.next() as u8,
            4 => {
                let from = random.below(other.len());
                let to = from + random.below(other.len() - from).min(64);
                input.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let to = at + random.below(input.len() - at).min(64);
                let piece = input[at..to].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
    input.truncate(1 << 13);
}

/// Names the input that the target fails on, so that it can join the corpus.
fn attempt(input: &[u8], about: impl FnOnce() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| targets::netstack(input))) {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{}: input {hex}", about());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn hostile_frames_do_no_harm() {
    let inputs = corpus();
    assert!(inputs.len() > 4, "hardly any corpus");
    for (path, input) in &inputs {
        attempt(input, || path.display().to_string());
    }
    let seed = setting("PRECURSOR_FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(setting("PRECURSOR_FUZZ_SECONDS", 2));
    let mut random = Random(seed);
    let mut rounds = 0_u64;
    while Instant::now() < end {
        for _ in 0..64 {
            let mut input = inputs[random.below(inputs.len())].1.clone();
            let other = &inputs[random.below(inputs.len())].1;
            mutate(&mut input, other, &mut random);
            attempt(&input, || format!("seed {seed} round {rounds}"));
            rounds += 1;
        }
    }
    println!("{} inputs, {rounds} mutations, seed {seed}", inputs.len());
}
