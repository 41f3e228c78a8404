//! Transactions: what a consumer of committed records gets, after whatever happened to the log.

use crate::support::{Bench, DATA, histories};
use precursor_disk::sim::Random;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::{CleanupPolicy, FlushPolicy, LogConfig};
use precursor_protocol::records::{BatchBuilder, BatchView, split_batches};
use precursor_storage::{
    AbortedTransaction, AppendError, AppendOptions, Gather, LogId, Read, ReadOptions, StoreEvent,
};
use std::collections::HashSet;
use std::path::Path;

const COORDINATOR: i32 = 5;

/// A batch of the log as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    base: i64,
    end: i64,
    /// The producer, in a transaction.
    producer: Option<i64>,
    marker: Option<bool>,
}

/// A log and what is known of it.
struct Oracle {
    bench: Bench,
    log: LogId,
    config: LogConfig,
    known: Vec<Known>,
    sequences: Vec<i32>,
    start: i64,
}

impl Oracle {
    fn new(seed: u64, config: LogConfig) -> Oracle {
        let mut bench = Bench::new(8 << 20, seed);
        bench.options.checkpoint_interval_ms = 100;
        let log = bench.open_log(1, "t", &config);
        Oracle {
            bench,
            log,
            config,
            known: Vec::new(),
            sequences: vec![0; 8],
            start: 0,
        }
    }

    fn end(&mut self) -> i64 {
        let log = self.log;
        self.bench.store().offsets(log).end
    }

    /// A batch of a producer, within a transaction or not.
    fn append(&mut self, producer: i64, in_transaction: bool, count: usize, bytes: usize) {
        let mut builder = BatchBuilder::new();
        let sequence = self.sequences[producer as usize];
        builder.set_producer(producer, 0, sequence);
        builder.set_transactional(in_transaction);
        for _ in 0..count {
            let time = self.bench.now.wall_ms;
            let key = format!("{}", self.known.len() % 7);
            builder.append(time, Some(key.as_bytes()), Some(&vec![7; bytes]), &[]);
        }
        let mut batch = Vec::new();
        builder.build(&mut batch);
        let log = self.log;
        let appended = self.retry(|bench| {
            let options = AppendOptions {
                transactional: true,
                ..AppendOptions::at(bench.now)
            };
            bench.store().append(log, &batch, options)
        });
        self.sequences[producer as usize] += count as i32;
        self.known.push(Known {
            base: appended.base_offset,
            end: appended.last_offset + 1,
            producer: in_transaction.then_some(producer),
            marker: None,
        });
    }

    fn end_transaction(&mut self, producer: i64, commits: bool) {
        let log = self.log;
        let appended = self.retry(|bench| {
            let now = bench.now;
            bench
                .store()
                .append_marker(log, (producer, 0), commits, COORDINATOR, now)
        });
        self.known.push(Known {
            base: appended.base_offset,
            end: appended.last_offset + 1,
            producer: Some(producer),
            marker: Some(commits),
        });
    }

    fn retry<T>(&mut self, mut append: impl FnMut(&mut Bench) -> Result<T, AppendError>) -> T {
        for _ in 0..100_000 {
            match append(&mut self.bench) {
                Ok(appended) => return appended,
                Err(AppendError::Busy) => drop(self.bench.poll()),
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("the store stays busy");
    }

    /// Of a batch of a transaction, how that ended: `None` while it is open.
    fn fate(&self, batch: &Known) -> Option<bool> {
        let ends = |one: &&Known| one.base > batch.base && one.producer == batch.producer;
        let marker = self
            .known
            .iter()
            .filter(ends)
            .find(|one| one.marker.is_some());
        marker.and_then(|one| one.marker)
    }

    /// Where a transaction is open, or ended by a marker that may not be shown.
    fn last_stable(&self, high_watermark: i64) -> i64 {
        let shown: Vec<Known> = self.known.clone();
        let undecided = |batch: &&Known| {
            let ends = |one: &&Known| one.base > batch.base && one.producer == batch.producer;
            let marker = shown.iter().filter(ends).find(|one| one.marker.is_some());
            batch.producer.is_some()
                && batch.marker.is_none()
                && marker.is_none_or(|marker| marker.base >= high_watermark)
        };
        let first = shown
            .iter()
            .find(undecided)
            .map_or(i64::MAX, |one| one.base);
        first.max(self.start).min(high_watermark)
    }

    /// What a consumer of committed records may see from an offset on: base offsets of batches.
    fn committed(&self, from: i64, until: i64) -> Vec<i64> {
        let shown = |one: &&Known| {
            one.end > from
                && one.base < until
                && one.marker.is_none()
                && (one.producer.is_none() || self.fate(one) == Some(true))
        };
        self.known
            .iter()
            .filter(shown)
            .map(|one| one.base)
            .collect()
    }

    fn read(&mut self, options: ReadOptions) -> (Vec<u8>, Vec<AbortedTransaction>, usize) {
        let (log, mut pending) = (self.log, 0);
        let gather: Gather = loop {
            match self.bench.store().read(log, options) {
                Ok(Read::Ready(gather)) => break gather,
                Ok(Read::Pending(ticket)) => {
                    pending += 1;
                    let ready = StoreEvent::ReadReady { ticket };
                    while !self.bench.events.contains(&ready) {
                        self.bench.poll();
                    }
                    match self.bench.store().take_read(ticket) {
                        Ok(gather) => break gather,
                        Err(error) => assert_eq!(error, precursor_storage::ReadError::Busy),
                    }
                }
                Err(error) => assert_eq!(error, precursor_storage::ReadError::Busy),
            }
            self.bench.poll();
        };
        let store = self.bench.store();
        let bytes = store.slices(&gather).collect::<Vec<_>>().concat();
        let aborted = gather.aborted().to_vec();
        store.release(gather);
        (bytes, aborted, pending)
    }

    /// Reads to the last stable offset and passes over what was aborted, as Kafka's consumer does.
    fn consume(&mut self, from: i64, max_bytes: usize) -> Vec<i64> {
        let until = { self.bench.store().offsets(self.log) }.last_stable;
        let (mut at, mut seen) = (from, Vec::new());
        while at < until {
            let options = ReadOptions {
                offset: at,
                max_bytes,
                at_least_one: true,
                committed: true,
            };
            let (bytes, aborted, _) = self.read(options);
            if bytes.is_empty() {
                // What lay before the open transaction may be compacted away.
                let compacts = self.config.cleanup_policy.compacts();
                assert!(compacts, "nothing comes at {at} of {until}");
                break;
            }
            assert!(aborted.is_sorted_by_key(|one| one.first_offset));
            let mut aborted = aborted.into_iter().peekable();
            let mut skipped = HashSet::new();
            for batch in split_batches(&bytes) {
                let batch = batch.unwrap();
                assert!(batch.base_offset() < until, "an open transaction is shown");
                while let Some(one) = aborted.next_if(|one| one.first_offset <= batch.last_offset())
                {
                    skipped.insert(one.producer_id);
                }
                at = batch.last_offset() + 1;
                if batch.is_control() {
                    if is_abort(&batch) {
                        skipped.remove(&batch.producer_id());
                    }
                } else if !(batch.is_transactional() && skipped.contains(&batch.producer_id()))
                    && batch.record_count() > 0
                {
                    seen.push(batch.base_offset());
                }
            }
            assert!(
                aborted.next().is_none(),
                "only what concerns these bytes is told"
            );
        }
        seen
    }

    fn check(&mut self, random: &mut Random) {
        let log = self.log;
        let offsets = self.bench.store().offsets(log);
        assert_eq!(
            offsets.last_stable,
            self.last_stable(offsets.high_watermark),
            "of {offsets:?}"
        );
        let until = offsets.last_stable;
        for _ in 0..3 {
            let known: Vec<i64> = self.known.iter().map(|one| one.base).collect();
            let within = known
                .iter()
                .filter(|base| (self.start..until).contains(base));
            let within: Vec<i64> = within.copied().collect();
            if within.is_empty() {
                return;
            }
            let from = within[random.below(within.len() as u64) as usize];
            let max_bytes = [200, 3_000, 1 << 20][random.below(3) as usize];
            let seen = self.consume(from, max_bytes);
            assert_eq!(seen, self.committed(from, until), "from {from} of {until}");
        }
    }

    fn reopen(&mut self) {
        self.log = self.bench.open_log(1, "t", &self.config);
    }
}

fn is_abort(batch: &BatchView<'_>) -> bool {
    // Compaction may have left the header alone.
    let record = batch.records().next().map(Result::unwrap);
    record.is_some_and(|record| record.key.unwrap()[3] == 0)
}

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 4096,
        index_interval_bytes: 200,
        flush_interval_ms: 20,
        flush_policy: FlushPolicy::Interval,
        retention_bytes: -1,
        ..LogConfig::default()
    }
}

/// One step of a random history.
fn step(oracle: &mut Oracle, random: &mut Random) {
    let producer = random.below(6) as i64;
    let has_open = |oracle: &Oracle| {
        let of_producer = |one: &&Known| one.producer == Some(producer);
        let last = oracle.known.iter().rfind(of_producer);
        last.is_some_and(|last| last.marker.is_none())
    };
    match random.below(20) {
        0..=7 => {
            let (count, bytes) = (
                1 + random.below(3) as usize,
                10 + random.below(200) as usize,
            );
            oracle.append(producer, true, count, bytes);
        }
        8..=9 => oracle.append(7, false, 1, 50),
        10..=14 if has_open(oracle) => oracle.end_transaction(producer, random.below(2) == 0),
        15 => {
            oracle.bench.pass(600);
            for _ in 0..random.below(30) {
                oracle.bench.poll();
            }
        }
        _ => drop(oracle.bench.poll()),
    }
}

#[test]
fn committed_readers_see_committed_records_whatever_happens() {
    for seed in 0..histories(12) {
        let mut random = Random::new(seed);
        let mut oracle = Oracle::new(seed, small_segments());
        for round in 0..12 {
            for _ in 0..40 {
                step(&mut oracle, &mut random);
            }
            oracle.check(&mut random);
            match random.below(5) {
                0 => {
                    oracle.bench.crash();
                    oracle.bench.start(seed * 100 + round);
                    oracle.reopen();
                }
                1 => {
                    oracle.bench.shutdown();
                    oracle.bench.start(seed * 100 + round);
                    oracle.reopen();
                }
                2 => {
                    oracle.bench.lose_power(&mut random);
                    oracle.bench.start(seed * 100 + round);
                    oracle.reopen();
                    let end = oracle.end();
                    oracle.known.retain(|one| one.end <= end);
                    // What a producer sent and is lost is sent again.
                    oracle.sequences = sequences(&oracle.known, &mut oracle.bench, oracle.log);
                }
                3 if end_of(&oracle) > 20 => {
                    let before = random.below(end_of(&oracle) as u64 / 2) as i64;
                    let log = oracle.log;
                    let start = oracle.bench.store().delete_records(log, before);
                    oracle.start = start.unwrap();
                }
                _ => {}
            }
            oracle.check(&mut random);
        }
    }
}

fn end_of(oracle: &Oracle) -> i64 {
    oracle.known.last().map_or(0, |one| one.end)
}

/// The next sequence of each producer, as the log knows it.
fn sequences(_known: &[Known], bench: &mut Bench, log: LogId) -> Vec<i32> {
    let mut sequences = vec![0; 8];
    for producer in bench.store().active_producers(log) {
        sequences[producer.producer_id as usize] = producer.last_sequence + 1;
    }
    sequences
}

#[test]
fn compaction_keeps_what_readers_of_committed_records_see() {
    for seed in 0..histories(10) {
        let mut random = Random::new(1_000 + seed);
        let mut config = small_segments();
        let mut oracle = Oracle::new(seed, config.clone());
        oracle.bench.options.cleaner.backoff_ms = 50;
        oracle.bench.shutdown();
        oracle.bench.start(seed);
        oracle.reopen();
        for _ in 0..300 {
            step(&mut oracle, &mut random);
        }
        config.cleanup_policy = CleanupPolicy::Compact;
        config.delete_retention_ms = 2_000;
        oracle.config = config.clone();
        let log = oracle.log;
        oracle.bench.store().set_config(log, config);
        for round in 0..6 {
            oracle.bench.pass(3_000);
            for _ in 0..300 {
                oracle.bench.poll();
            }
            let until = { oracle.bench.store().offsets(oracle.log) }.last_stable;
            let start = oracle.start;
            let seen: HashSet<i64> = oracle.consume(start, 2_000).into_iter().collect();
            let committed: HashSet<i64> = oracle.committed(start, until).into_iter().collect();
            let strange = seen.difference(&committed).copied().collect::<Vec<_>>();
            assert_eq!(strange, [], "what was aborted, or nobody appended");
            // The latest of each key stays, and so does the last record of all.
            let last = oracle.committed(start, until).into_iter().max();
            assert!(last.is_none_or(|last| seen.contains(&last)));
            for _ in 0..20 {
                step(&mut oracle, &mut random);
            }
            if round % 2 == 0 {
                oracle.bench.crash();
                oracle.bench.start(seed * 100 + round);
                oracle.reopen();
            }
        }
        assert!(oracle.bench.store().stats().cleaner_runs > 0 || seed > 0);
    }
}

#[test]
fn a_marker_is_not_taken_from_who_has_a_successor() {
    let mut oracle = Oracle::new(1, small_segments());
    oracle.append(1, true, 1, 10);
    oracle.end_transaction(1, true);
    let (log, now) = (oracle.log, oracle.bench.now);
    let store = oracle.bench.store();
    let refused = store.append_marker(log, (1, 0), true, COORDINATOR - 1, now);
    assert_eq!(refused, Err(AppendError::TransactionCoordinatorFenced));
    store
        .append_marker(log, (1, 1), false, COORDINATOR, now)
        .unwrap();
    let refused = store.append_marker(log, (1, 0), true, COORDINATOR, now);
    assert_eq!(refused, Err(AppendError::InvalidProducerEpoch));
    // Only who speaks for a coordinator may write in a transaction.
    let mut builder = BatchBuilder::new();
    builder.set_producer(2, 0, 0);
    builder.set_transactional(true);
    builder.append(1, None, Some(b"x"), &[]);
    let mut batch = Vec::new();
    builder.build(&mut batch);
    let refused = store.append(log, &batch, AppendOptions::at(now));
    assert_eq!(refused, Err(AppendError::InvalidTransactionState));
}

fn index_file(base: i64) -> String {
    format!("{DATA}/t-0/{base:020}.txnindex")
}

/// Aborted transactions in every segment; all of it on disk.
fn aborted_in_each_segment(seed: u64) -> Oracle {
    let mut oracle = Oracle::new(seed, small_segments());
    for n in 0..60 {
        oracle.append(1, true, 1, 100);
        oracle.append(7, false, 1, 100);
        oracle.end_transaction(1, n % 3 == 0);
    }
    oracle.bench.shutdown();
    oracle
}

/// What a damage makes of a file.
type Damage = fn(&[u8]) -> Vec<u8>;

#[test]
fn a_transaction_index_that_cannot_be_right_is_made_again() {
    let damages: [Damage; 3] = [
        |bytes| bytes[..bytes.len() - 3].to_vec(),
        |bytes| vec![0; bytes.len()],
        |bytes| bytes.iter().map(|byte| byte ^ 0x11).collect(),
    ];
    for (at, damage) in damages.into_iter().enumerate() {
        let mut oracle = aborted_in_each_segment(at as u64);
        let path = index_file(0);
        let files = oracle.bench.files.clone();
        let files: &dyn FileSystem = &files;
        let good = files.read(Path::new(&path)).unwrap();
        assert!(good.len() >= 68 && good.len() % 34 == 0);
        let file = files.open(Path::new(&path), OpenMode::Create).unwrap();
        let bad = damage(&good);
        file.set_length(bad.len() as u64).unwrap();
        file.write_at(&bad, 0).unwrap();
        oracle.bench.start(9);
        oracle.reopen();
        assert_eq!(files.read(Path::new(&path)).unwrap(), good);
        let end = oracle.end();
        assert_eq!(oracle.consume(0, 1_000), oracle.committed(0, end));
    }
}

#[test]
fn cold_readers_wait_for_the_index_and_hot_ones_do_not() {
    let mut oracle = aborted_in_each_segment(3);
    oracle.bench.start(9);
    oracle.reopen();
    let options = |offset| ReadOptions {
        offset,
        max_bytes: 1 << 20,
        at_least_one: true,
        committed: true,
    };
    let (_, aborted, pending) = oracle.read(options(0));
    assert!(pending > 0 && aborted.len() > 1);
    let before = oracle.end();
    oracle.append(1, true, 1, 100);
    oracle.end_transaction(1, false);
    let (bytes, aborted, pending) = oracle.read(options(before));
    assert_eq!((pending, aborted.len()), (0, 1));
    assert_eq!(aborted[0].first_offset, before);
    assert!(!bytes.is_empty());
}
