//! Who reads in order is read ahead for, and nobody else.

use crate::support::{Bench, batch};
use precursor_disk::sim::Random;
use precursor_model::LogConfig;
use precursor_storage::{LogId, Read, ReadOptions};

const BATCHES: u64 = 200;
const BATCH_BYTES: usize = 64 << 10;
/// What cold reads read at a time.
const WINDOW_BYTES: u64 = 256 << 10;

/// A log of 12 MiB that memory does not hold.
fn cold() -> (Bench, LogId) {
    let mut bench = Bench::new(64 << 20, 1);
    let config = LogConfig {
        segment_bytes: 64 << 20,
        ..LogConfig::default()
    };
    let id = bench.open_log(1, "t", &config);
    for at in 0..BATCHES {
        bench.append_all(id, &batch(1, BATCH_BYTES, at as i64, None));
    }
    bench.shutdown();
    bench.start(2);
    let id = bench.open_log(1, "t", &config);
    (bench, id)
}

fn options(offset: i64) -> ReadOptions {
    ReadOptions {
        offset,
        max_bytes: BATCH_BYTES + 1_000,
        at_least_one: true,
        committed: false,
    }
}

/// Reads one batch, and waits until the disk has nothing to do; whether it was there at once.
fn read(bench: &mut Bench, id: LogId, offset: i64) -> bool {
    let is_ready = match bench.store().read(id, options(offset)).unwrap() {
        Read::Ready(gather) => {
            bench.store().release(gather);
            true
        }
        Read::Pending(ticket) => {
            bench.store().cancel_read(ticket);
            bench.read(id, options(offset)).unwrap();
            false
        }
    };
    bench.poll_until(|store| !store.is_busy());
    is_ready
}

#[test]
fn a_reader_in_order_waits_for_its_first_reads_alone() {
    let (mut bench, id) = cold();
    let waited = (0..BATCHES as i64).filter(|at| !read(&mut bench, id, *at));
    let waited: Vec<i64> = waited.collect();
    // That it goes on where it ended is not known before its second read.
    assert!(waited.iter().all(|at| *at < 8), "waited at {waited:?}");
    let read_bytes = bench.store().stats().cache_misses * WINDOW_BYTES;
    let log_bytes = BATCHES * BATCH_BYTES as u64;
    assert!(
        read_bytes < log_bytes * 11 / 10,
        "{read_bytes} of {log_bytes}: each piece once"
    );
}

#[test]
fn nothing_is_read_ahead_for_a_reader_that_jumps() {
    let (mut bench, id) = cold();
    let mut random = Random::new(5);
    let mut at = 0;
    for _ in 0..60 {
        // Never where it ended.
        at = (at + 2 + random.below(BATCHES - 4)) % BATCHES;
        let before = bench.store().stats().cache_misses;
        read(&mut bench, id, at as i64);
        let misses = bench.store().stats().cache_misses - before;
        assert!(
            misses <= 2,
            "{misses} pieces for a batch of {BATCH_BYTES} bytes"
        );
    }
}
