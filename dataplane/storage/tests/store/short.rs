//! Appends while memory is short.

use crate::support::{Bench, batch, histories};
use precursor_disk::sim::Random;
use precursor_model::LogConfig;
use precursor_storage::AppendError;
use std::sync::mpsc;
use std::time::Duration;

const LOGS: u64 = 12;
/// An append that gives back what it just took, and takes it again, never returns.
const PATIENCE: Duration = Duration::from_secs(60);

/// Logs that share too little memory, on a disk that is slow: each call returns, and what it says is
/// true.
#[test]
fn an_append_returns_however_little_memory_there_is() {
    let (done, outcome) = mpsc::channel();
    std::thread::spawn(move || {
        let seeds = histories(10);
        let refused = (0..seeds).map(append_with_little_memory).sum::<usize>();
        // Nobody listens any more when it took too long.
        let _ = done.send(refused);
    });
    let refused = outcome.recv_timeout(PATIENCE).expect("each append returns");
    assert!(refused > 10, "memory was short: {refused}");
}

/// How many appends were refused.
fn append_with_little_memory(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut bench = Bench::new(2 << 20, seed);
    let config = LogConfig::default();
    let logs: Vec<_> = (0..LOGS)
        .map(|uid| bench.open_log(uid + 1, &format!("log-{uid}"), &config))
        .collect();
    let mut ends = vec![0; logs.len()];
    let mut refused = 0;
    for _ in 0..400 {
        // One log writes most; the others have time to be settled.
        let at = if random.once_in(3) {
            1 + random.below(LOGS - 1) as usize
        } else {
            0
        };
        let most = if at == 0 { 200_000 } else { 12_000 };
        let bytes = batch(1, 100 + random.below(most) as usize, 1, None);
        match bench.append(logs[at], &bytes) {
            Ok(appended) => {
                assert_eq!(appended.base_offset, ends[at], "seed {seed}");
                ends[at] += 1;
            }
            Err(error) => {
                assert_eq!(error, AppendError::Busy, "seed {seed}");
                refused += 1;
            }
        }
        if random.once_in(8) {
            bench.pass(1_000);
            bench.poll();
        }
    }
    for _ in 0..400 {
        bench.poll();
    }
    for (log, end) in logs.iter().zip(&ends) {
        assert_eq!(bench.store().offsets(*log).end, *end, "seed {seed}");
    }
    refused
}

/// A log whose disk does not keep up takes no memory from logs that have little to write.
#[test]
fn a_log_with_little_to_write_does_not_wait_for_one_with_much() {
    let mut bench = Bench::new(8 << 20, 1);
    let config = LogConfig::default();
    let much = bench.open_log(1, "much", &config);
    let little: Vec<_> = (0..8)
        .map(|uid| bench.open_log(uid + 2, &format!("little-{uid}"), &config))
        .collect();
    let filler = batch(1, 100_000, 1, None);
    let mut taken = 0;
    while bench.append(much, &filler).is_ok() {
        taken += 1;
    }
    assert!(taken > 50, "most of the memory is to be had: {taken}");
    for round in 0..3 {
        for log in &little {
            let appended = bench.append(*log, &batch(1, 3_000, 1, None)).unwrap();
            assert_eq!(appended.base_offset, round);
        }
        assert_eq!(bench.append(much, &filler), Err(AppendError::Busy));
    }
    // The disk goes on, and with it everybody.
    bench.append_all(much, &filler);
}
