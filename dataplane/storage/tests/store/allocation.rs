//! The shard's thread calls the allocator neither for appends and hot reads nor for what follows
//! them: rolls, syncs, moves of the recovery point, checkpoints, retention, compaction, lists that
//! grow.

use crate::real::{Real, clock};
use crate::support::batch;
use precursor_memory::CountingAllocator;
use precursor_model::{CleanupPolicy, FlushPolicy, LogConfig, Ratio};
use precursor_protocol::records::BatchBuilder;
use precursor_storage::{
    AppendError, AppendOptions, LogId, Read, ReadOptions, StoreEvent, StoreOptions,
};
use std::path::Path;
use std::time::{Duration, Instant};

const SEGMENT: u32 = 1 << 20;
/// Idempotent producers of each log at the end; they come one after another.
const PRODUCERS: usize = 40;

struct Writer {
    log: LogId,
    offset: i64,
    sequences: Vec<i32>,
    bytes: u64,
}

impl Writer {
    fn new(log: LogId) -> Writer {
        Writer {
            log,
            offset: 0,
            sequences: Vec::new(),
            bytes: 0,
        }
    }

    fn batch(&mut self, real: &Real, bytes: usize, producer: usize) -> Vec<u8> {
        let id = (producer as i64, 0, self.sequences[producer]);
        self.sequences[producer] += 10;
        let sent = batch(10, bytes, real.wall_ms(), Some(id));
        self.bytes += sent.len() as u64;
        sent
    }

    /// Appends a batch, polls, reads it back; the calls of the allocator meanwhile.
    fn round(&mut self, real: &mut Real, sent: &[u8], events: &mut Vec<StoreEvent>) -> u64 {
        CountingAllocator::arm();
        loop {
            let now = clock(real.begun);
            let outcome = real.store.append(self.log, sent, AppendOptions::at(now));
            real.store.poll(now, events);
            events.clear();
            if outcome != Err(AppendError::Busy) {
                outcome.unwrap();
                break;
            }
        }
        let options = ReadOptions {
            offset: self.offset,
            max_bytes: 1 << 20,
            at_least_one: true,
            committed: false,
        };
        match real.store.read(self.log, options).unwrap() {
            Read::Ready(gather) => real.store.release(gather),
            Read::Pending(_) => panic!("the newest batch is hot"),
        }
        self.offset += 10;
        CountingAllocator::disarm().total()
    }
}

fn config(flush_policy: FlushPolicy) -> LogConfig {
    LogConfig {
        segment_bytes: SEGMENT,
        index_interval_bytes: 64,
        retention_bytes: i64::from(4 * SEGMENT),
        flush_interval_ms: 10,
        flush_policy,
        ..LogConfig::default()
    }
}

fn open(data: &Path, region: &Path) -> Real {
    assert!(CountingAllocator::is_installed());
    let mut options = StoreOptions::new(data, 0);
    options.write_behind_ms = 5;
    options.checkpoint_interval_ms = 20;
    options.retention_check_interval_ms = 30;
    options.recovery_bytes_max = u64::from(SEGMENT) / 4;
    options.cleaner.backoff_ms = 20;
    Real::open_with(data, region, options)
}

/// Polls until the helper has nothing to do; the calls of the allocator meanwhile.
fn settle(real: &mut Real, events: &mut Vec<StoreEvent>) -> u64 {
    let mut calls = 0;
    while real.store.is_busy() {
        let now = clock(real.begun);
        CountingAllocator::arm();
        real.store.poll(now, events);
        events.clear();
        calls += CountingAllocator::disarm().total();
        std::thread::yield_now();
    }
    calls
}

#[test]
fn nothing_is_allocated_or_freed_across_rolls_checkpoints_and_growth() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut real = open(data.path(), region_dir.path());
    let policies = [
        ("os", FlushPolicy::Os),
        ("interval", FlushPolicy::Interval),
        ("every-write", FlushPolicy::EveryWrite),
    ];
    let mut writers = Vec::new();
    for (uid, (name, policy)) in (1..).zip(policies) {
        writers.push(Writer::new(real.log(uid, name, &config(policy))));
    }
    let mut events = Vec::with_capacity(64);
    let mut calls = Vec::new();
    for round in 0..1000 {
        // First producers come, and the helper has time; then it is behind at every roll.
        let comes = round < 8 * PRODUCERS && round.is_multiple_of(8);
        if comes {
            calls.push(settle(&mut real, &mut events));
        }
        for writer in &mut writers {
            if comes {
                writer.sequences.push(0);
            }
            let producer = round % writer.sequences.len();
            let sent = writer.batch(&real, 50_000, producer);
            calls.push(writer.round(&mut real, &sent, &mut events));
        }
    }
    let total: u64 = calls.iter().sum();
    let rolls: u64 = writers.iter().map(|w| w.bytes / u64::from(SEGMENT)).sum();
    let stats = real.store.stats();
    println!("{total} calls of the allocator over {rolls} rolls");
    assert_eq!(total, 0, "calls per round: {calls:?}");
    assert_eq!(stats.made_in_place, 0);
    assert!(rolls >= 120);
    let started = writers.iter().all(|w| real.store.offsets(w.log).start > 0);
    assert!(started, "retention removed segments");
    let points = data.path().join("recovery-point-offset-checkpoint");
    let points = std::fs::read_to_string(points).unwrap();
    let moved = points.lines().filter(|line| !line.ends_with(" 0")).count();
    assert_eq!(moved, 2 + writers.len(), "{points}");
    let region = real.region;
    drop(real.store);
    region.unlink().unwrap();
}

#[test]
fn nothing_is_allocated_or_freed_while_an_index_grows() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut real = open(data.path(), region_dir.path());
    let config = LogConfig {
        segment_bytes: 8 * SEGMENT,
        ..config(FlushPolicy::Interval)
    };
    let mut writer = Writer::new(real.log(1, "t", &config));
    writer.sequences.push(0);
    let mut events = Vec::with_capacity(64);
    let mut calls = 0;
    // An entry for every batch: 20 000 in each of three segments.
    for round in 0..60_000 {
        if round % 64 == 0 {
            calls += settle(&mut real, &mut events);
        }
        let sent = writer.batch(&real, 250, 0);
        calls += writer.round(&mut real, &sent, &mut events);
    }
    println!("{} bytes", writer.bytes);
    assert_eq!((calls, real.store.stats().made_in_place), (0, 0));
    assert!(writer.bytes > u64::from(2 * 8 * SEGMENT));
    let region = real.region;
    drop(real.store);
    region.unlink().unwrap();
}

/// Ten records of a few keys, from one of several producers.
fn keyed(real: &Real, round: i32) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.set_producer(
        i64::from(round % PRODUCERS as i32),
        0,
        round / PRODUCERS as i32 * 10,
    );
    for at in 0..10 {
        let key = format!("key-{}", (round * 7 + at) % 200);
        builder.append(
            real.wall_ms(),
            Some(key.as_bytes()),
            Some(&[b'v'; 2_000]),
            &[],
        );
    }
    let mut batch = Vec::new();
    builder.build(&mut batch);
    batch
}

#[test]
fn nothing_is_allocated_or_freed_while_logs_are_compacted() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut real = open(data.path(), region_dir.path());
    let config = LogConfig {
        segment_bytes: SEGMENT / 4,
        cleanup_policy: CleanupPolicy::Compact,
        min_cleanable_dirty_ratio: Ratio::new(0.3).unwrap(),
        flush_policy: FlushPolicy::Os,
        ..LogConfig::default()
    };
    let mut writer = Writer::new(real.log(1, "t", &config));
    let mut events = Vec::with_capacity(64);
    let mut calls = Vec::new();
    for round in 0..800 {
        // First a producer comes in each round, and the helper has time.
        if round < PRODUCERS as i32 || round % 8 == 0 {
            calls.push(settle(&mut real, &mut events));
        }
        let sent = keyed(&real, round);
        calls.push(writer.round(&mut real, &sent, &mut events));
    }
    // What is dirty in the end is cleaned too.
    let begun = Instant::now();
    let cleaned = |real: &Real| {
        let stats = real.store.stats();
        stats.cleaner_runs >= 5 && stats.cleaner_records_dropped > 5_000
    };
    while begun.elapsed() < Duration::from_millis(500)
        || !cleaned(&real) && begun.elapsed() < Duration::from_secs(60)
    {
        CountingAllocator::arm();
        real.store.poll(clock(real.begun), &mut events);
        events.clear();
        calls.push(CountingAllocator::disarm().total());
        std::thread::yield_now();
    }
    let stats = real.store.stats();
    let total: u64 = calls.iter().sum();
    println!(
        "{} runs, {} records dropped",
        stats.cleaner_runs, stats.cleaner_records_dropped
    );
    let at: Vec<usize> = (0..calls.len()).filter(|at| calls[*at] > 0).collect();
    assert_eq!((total, stats.made_in_place), (0, 0), "at {at:?}");
    assert!(cleaned(&real));
    let region = real.region;
    drop(real.store);
    region.unlink().unwrap();
}
