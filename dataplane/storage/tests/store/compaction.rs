//! Compaction against an oracle: what is read is what was appended, the latest record of each key
//! is there, and after everything was cleaned nothing else is.

use crate::support::{Bench, histories};
use precursor_compression::{compress, decompress};
use precursor_disk::sim::Random;
use precursor_model::{CleanupPolicy, LogConfig, Ratio};
use precursor_protocol::records::{BatchBuilder, BatchView, Codec, Records, split_batches};
use precursor_storage::{AppendError, LogId, ReadOptions};
use std::collections::{BTreeMap, HashMap};

const POOL: u64 = 4 << 20;
const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

fn compacted() -> LogConfig {
    LogConfig {
        cleanup_policy: CleanupPolicy::Compact,
        segment_bytes: 6_000,
        index_interval_bytes: 300,
        min_cleanable_dirty_ratio: Ratio::new(0.0).unwrap(),
        ..LogConfig::default()
    }
}

type Entry = (Vec<u8>, Option<Vec<u8>>, i64);

struct Oracle {
    bench: Bench,
    id: LogId,
    config: LogConfig,
    /// Every record ever appended, by offset.
    appended: BTreeMap<i64, Entry>,
    start: i64,
    end: i64,
    sequence: i32,
    seed: u64,
}

impl Oracle {
    fn new(seed: u64, config: LogConfig) -> Oracle {
        let mut bench = Bench::new(POOL, seed);
        bench.options.cleaner.backoff_ms = 100;
        bench.options.checkpoint_interval_ms = 700;
        bench.store = None;
        bench.start(seed);
        let id = bench.open_log(1, "t", &config);
        Oracle {
            bench,
            id,
            config,
            appended: BTreeMap::new(),
            start: 0,
            end: 0,
            sequence: 0,
            seed,
        }
    }

    fn append(&mut self, records: &[(&str, Option<&str>)], codec: Codec) {
        let mut builder = BatchBuilder::new();
        builder.set_producer(9, 0, self.sequence);
        let time = self.bench.now.wall_ms;
        for (key, value) in records {
            builder.append(time, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
        }
        let mut batch = Vec::new();
        builder.build_with(&mut batch, codec, |plain, out| {
            out.extend(compress(codec, plain).unwrap());
        });
        let appended = self.bench.append_all(self.id, &batch);
        assert_eq!(appended.base_offset, self.end, "seed {}", self.seed);
        for (at, (key, value)) in records.iter().enumerate() {
            let value = value.map(|value| value.as_bytes().to_vec());
            let entry = (key.as_bytes().to_vec(), value, time);
            self.appended.insert(self.end + at as i64, entry);
        }
        self.end += records.len() as i64;
        self.sequence += records.len() as i32;
    }

    fn append_random(&mut self, random: &mut Random, keys: u64) {
        let words: Vec<(String, Option<String>)> = (0..1 + random.below(6))
            .map(|_| {
                let key = format!("key-{}", random.below(keys));
                let value = format!("{:x}", random.number()).repeat(1 + random.below(12) as usize);
                (key, (!random.once_in(6)).then_some(value))
            })
            .collect();
        let records: Vec<(&str, Option<&str>)> = words
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        let codec = CODECS[random.below(5) as usize];
        self.append(&records, codec);
    }

    /// Lets the cleaner work until it finds nothing more.
    fn clean(&mut self) {
        let mut idle = 0;
        while idle < 5 {
            let before = self.bench.store().stats().cleaner_bytes_read;
            self.bench.pass(1_000);
            for _ in 0..100 {
                self.bench.poll();
            }
            let after = self.bench.store().stats().cleaner_bytes_read;
            idle = if before == after { idle + 1 } else { 0 };
        }
    }

    /// Every batch from the log's start on.
    fn read_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut offset = self.start;
        while offset < self.end {
            let options = ReadOptions {
                offset,
                max_bytes: 3_000,
                at_least_one: true,
                committed: false,
            };
            let got = self.bench.read(self.id, options).unwrap();
            assert!(!got.is_empty(), "seed {}: nothing at {offset}", self.seed);
            let last = split_batches(&got).last().unwrap().unwrap();
            assert!(last.last_offset() >= offset, "seed {}", self.seed);
            offset = last.last_offset() + 1;
            all.extend(got);
        }
        assert_eq!(offset, self.end, "seed {}", self.seed);
        all
    }

    /// What the log holds, checked against what was appended.
    fn records(&mut self) -> BTreeMap<i64, Entry> {
        let all = self.read_all();
        let mut found = BTreeMap::new();
        let mut next = 0;
        for batch in split_batches(&all).map(Result::unwrap) {
            assert!(batch.crc_is_right(), "seed {}", self.seed);
            assert!(batch.base_offset() >= next, "seed {}", self.seed);
            next = batch.last_offset() + 1;
            for (offset, entry) in records_of(&batch) {
                let known = self.appended.get(&offset);
                assert_eq!(known, Some(&entry), "seed {}: at {offset}", self.seed);
                found.insert(offset, entry);
            }
        }
        found
    }

    /// The last record of each key below an offset.
    fn latest(&self, below: i64) -> HashMap<&[u8], i64> {
        let records = self.appended.range(..below);
        records
            .map(|(offset, entry)| (&*entry.0, *offset))
            .collect()
    }

    /// Nothing is lost: every key's latest record is there, tombstones apart.
    fn check(&mut self) -> BTreeMap<i64, Entry> {
        let found = self.records();
        for (key, offset) in self.latest(self.end) {
            let is_tombstone = self.appended[&offset].1.is_none();
            let kept = found.contains_key(&offset) || is_tombstone || offset < self.start;
            assert!(kept, "seed {}: {key:?} at {offset} is lost", self.seed);
        }
        found
    }

    /// Where the active segment begins.
    fn active_base(&self) -> i64 {
        let paths = self.bench.files.paths();
        let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
        names
            .filter_map(|name| name.strip_suffix(".log")?.parse().ok())
            .max()
            .unwrap()
    }

    /// After everything was cleaned: of each key the latest record and no other.
    fn check_clean(&mut self) {
        let found = self.check();
        let below = self.active_base();
        let latest = self.latest(below);
        for (offset, entry) in found.range(..below) {
            assert_eq!(latest[&*entry.0], *offset, "seed {}: superseded", self.seed);
        }
        for (offset, _) in self.appended.range(below..) {
            assert!(found.contains_key(offset), "seed {}", self.seed);
        }
    }

    fn reopen(&mut self, seed: u64) {
        self.bench.start(seed);
        let config = self.config.clone();
        self.id = self.bench.open_log(1, "t", &config);
        let offsets = self.bench.store().offsets(self.id);
        self.start = offsets.start;
        assert_eq!(offsets.end, self.end, "seed {}", self.seed);
    }
}

fn records_of(batch: &BatchView<'_>) -> Vec<(i64, Entry)> {
    let plain = match batch.record_count() {
        0 => Vec::new(),
        _ => decompress(batch.codec(), batch.record_bytes()).unwrap(),
    };
    Records::new(&plain, batch.record_count())
        .map(|record| {
            let record = record.unwrap();
            let offset = batch.base_offset() + i64::from(record.offset_delta);
            let value = record.value.map(<[u8]>::to_vec);
            let key = record.key.unwrap().to_vec();
            (offset, (key, value, batch.timestamp_of(&record)))
        })
        .collect()
}

#[test]
fn the_latest_record_of_each_key_stays() {
    let mut log = Oracle::new(1, compacted());
    for round in 0..60 {
        let value = format!("{round}").repeat(100);
        for codec in CODECS {
            log.append(&[("a", Some(&value)), ("b", Some("x"))], codec);
        }
    }
    log.append(&[("c", Some("last"))], Codec::None);
    log.clean();
    log.check_clean();
    let stats = log.bench.store().stats();
    assert!(stats.cleaner_runs > 0 && stats.cleaner_records_dropped > 400);
    assert!(stats.cleaner_bytes_written < stats.cleaner_bytes_read / 4);
    log.bench.shutdown();
    log.reopen(2);
    log.check_clean();
    let text = String::from_utf8(
        log.bench
            .files
            .contents()
            .into_iter()
            .find(|(path, _)| path.ends_with("cleaner-offset-checkpoint"))
            .unwrap()
            .1,
    );
    assert_eq!(text.unwrap(), format!("0\n1\nt 0 {}\n", log.active_base()));
}

#[test]
fn records_without_a_key_are_refused() {
    let mut log = Oracle::new(1, compacted());
    let mut builder = BatchBuilder::new();
    builder.append(1, None, Some(b"x"), &[]);
    let mut batch = Vec::new();
    builder.build(&mut batch);
    let refused = log.bench.append(log.id, &batch);
    assert_eq!(refused, Err(AppendError::InvalidRecord));
}

#[test]
fn tombstones_go_after_their_time() {
    let mut config = compacted();
    config.delete_retention_ms = 60_000;
    let mut log = Oracle::new(1, config);
    log.append(&[("gone", Some("x")), ("stays", Some("y"))], Codec::Lz4);
    log.append(&[("gone", None)], Codec::None);
    let fill = |log: &mut Oracle| {
        for n in 0..80 {
            log.append(&[("fill", Some(&format!("{n}").repeat(90)))], Codec::None);
        }
        log.clean();
        log.check_clean();
    };
    fill(&mut log);
    let found = log.records();
    assert!(!found.contains_key(&0) && found.contains_key(&1));
    assert!(found.contains_key(&2), "the tombstone's time has begun");
    let all = log.read_all();
    let marked = split_batches(&all).map(Result::unwrap);
    let horizons: Vec<i64> = marked.filter_map(|b| b.delete_horizon_ms()).collect();
    assert_eq!(horizons.len(), 1);
    assert!(horizons[0] > log.bench.now.wall_ms);
    let time = log.bench.find_time(log.id, 0).unwrap();
    assert_eq!(time.offset, 1, "the first record that is left");
    log.bench.pass(61_000);
    fill(&mut log);
    assert!(!log.records().contains_key(&2));
}

#[test]
fn a_log_larger_than_the_table_is_cleaned_in_several_passes() {
    let mut log = Oracle::new(1, compacted());
    log.bench.shutdown();
    log.bench.options.cleaner.dedupe_buffer_bytes = 24 * 50;
    log.reopen(1);
    let mut random = Random::new(5);
    for _ in 0..400 {
        log.append_random(&mut random, 300);
    }
    log.clean();
    assert!(log.bench.store().stats().cleaner_runs > 10);
    log.check();
    // One more pass over everything: the last table held what was newest.
    log.bench.crash();
    log.bench.options.cleaner.dedupe_buffer_bytes = 1 << 20;
    log.bench.files.corrupt(
        std::path::Path::new("/data/cleaner-offset-checkpoint"),
        Vec::clear,
    );
    log.reopen(2);
    log.clean();
    log.check_clean();
}

#[test]
fn both_policies_together_delete_what_is_old() {
    let mut config = compacted();
    config.cleanup_policy = CleanupPolicy::CompactAndDelete;
    config.retention_ms = 600_000;
    let mut log = Oracle::new(1, config);
    log.append(&[("old", Some("x"))], Codec::None);
    let fill = |log: &mut Oracle| {
        for n in 0..100 {
            log.append(&[("fill", Some(&format!("{n}").repeat(90)))], Codec::None);
        }
        log.clean();
    };
    fill(&mut log);
    log.check_clean();
    assert!(log.records().contains_key(&0));
    log.bench.pass(700_000);
    fill(&mut log);
    log.bench.poll();
    let offsets = log.bench.store().offsets(log.id);
    assert!(offsets.start > 50, "{offsets:?}");
    log.start = offsets.start;
    log.check_clean();
}

/// Dies after each change that cleaning makes on the disk, and comes back.
#[test]
fn a_crash_at_any_step_of_cleaning_loses_nothing() {
    for power in [false, true] {
        let mut steps = 0;
        loop {
            let mut log = Oracle::new(7, compacted());
            let mut random = Random::new(3);
            for _ in 0..120 {
                log.append_random(&mut random, 10);
            }
            let id = log.id;
            let end = log.end;
            log.bench.shutdown();
            log.reopen(1);
            log.bench.files.stop_after(steps);
            log.bench.pass(200);
            for _ in 0..200 {
                log.bench.poll();
            }
            let finished = !log.bench.files.is_stopped();
            log.bench.files.heal();
            match power {
                true => log.bench.lose_power(&mut Random::new(steps)),
                false => log.bench.crash(),
            }
            log.reopen(steps);
            assert_eq!((log.end, log.id.slot), (end, id.slot));
            log.check();
            let left = log.bench.files.paths();
            let stray = |name: &str| name.ends_with(".swap") || name.ends_with(".cleaned");
            assert!(!left.iter().any(|path| stray(&path.to_string_lossy())));
            log.clean();
            log.check_clean();
            if finished {
                break;
            }
            // Losing power at a step is dying there, and more.
            steps += if power { 1 } else { 3 };
        }
        assert!(steps > 20, "{steps} steps");
    }
}

#[test]
fn histories_of_a_compacted_log_agree_with_the_oracle() {
    for seed in 0..histories(20) {
        let mut random = Random::new(seed);
        let mut config = compacted();
        config.segment_bytes = 2_000 + random.below(20_000) as u32;
        config.delete_retention_ms = random.below(5_000) as i64;
        config.min_compaction_lag_ms = random.below(2) as i64 * 500;
        let share = random.below(80) as f64 / 100.0;
        config.min_cleanable_dirty_ratio = Ratio::new(share).unwrap();
        let mut log = Oracle::new(seed, config);
        let keys = 3 + random.below(60);
        for _ in 0..600 {
            match random.below(100) {
                0..50 => log.append_random(&mut random, keys),
                50..90 => drop(log.bench.poll()),
                90..95 => log.bench.pass(random.below(400)),
                95..97 => drop(log.check()),
                97 => {
                    log.bench.crash();
                    log.reopen(random.number());
                }
                98 => {
                    log.bench.shutdown();
                    log.reopen(random.number());
                }
                _ => {
                    let time = log.bench.now.wall_ms - random.below(4_000) as i64;
                    let found = log.bench.find_time(log.id, time);
                    if let Some(found) = found {
                        let entry = &log.appended[&found.offset];
                        assert!(entry.2 >= time && entry.2 == found.timestamp, "seed {seed}");
                    }
                }
            }
        }
        log.check();
        log.bench.pass(10_000);
        log.config.min_cleanable_dirty_ratio = Ratio::new(0.0).unwrap();
        let (id, config) = (log.id, log.config.clone());
        log.bench.store().set_config(id, config);
        log.clean();
        log.check_clean();
    }
}
