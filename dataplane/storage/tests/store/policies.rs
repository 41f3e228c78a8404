//! When a segment ends, when a log is cleaned, and who keeps everything.

use crate::support::{Bench, batch};
use precursor_model::{CleanupPolicy, LogConfig, Ratio};
use precursor_protocol::records::BatchBuilder;
use precursor_storage::LogId;
use std::path::Path;

const POOL: u64 = 4 << 20;
const MINUTE_MS: u64 = 60_000;

/// Offsets at which a log's segments begin, as its files are called.
fn bases(bench: &mut Bench) -> Vec<i64> {
    bench.pass(10);
    for _ in 0..200 {
        bench.poll();
    }
    let base = |path: &Path| -> Option<i64> {
        let is_segment = path.extension().is_some_and(|kind| kind == "log");
        path.file_stem()?
            .to_str()?
            .parse()
            .ok()
            .filter(|_| is_segment)
    };
    let paths = bench.files.paths();
    let mut bases: Vec<i64> = paths.iter().filter_map(|path| base(path)).collect();
    bases.sort_unstable();
    bases
}

#[test]
fn a_segment_ends_when_its_first_record_is_old() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        segment_ms: 10_000,
        ..LogConfig::default()
    };
    let log = bench.open_log(1, "t", &config);
    let begun = bench.now.wall_ms;
    for after in [0, 5_000, 9_999] {
        bench.append_all(log, &batch(1, 100, begun + after, None));
    }
    assert_eq!(bases(&mut bench), [0]);
    bench.append_all(log, &batch(1, 100, begun + 10_000, None));
    assert_eq!(bases(&mut bench), [0, 3]);
    // Counted from the new one's first.
    bench.append_all(log, &batch(1, 100, begun + 19_999, None));
    assert_eq!(bases(&mut bench), [0, 3]);
    bench.append_all(log, &batch(1, 100, begun + 20_000, None));
    assert_eq!(bases(&mut bench), [0, 3, 5]);
}

#[test]
fn a_segment_ends_when_its_index_is_full() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        // Ten entries of 8 bytes, one for each batch but the first.
        segment_index_bytes: 80,
        index_interval_bytes: 1,
        ..LogConfig::default()
    };
    let log = bench.open_log(1, "t", &config);
    let time = bench.now.wall_ms;
    for _ in 0..30 {
        bench.append_all(log, &batch(1, 100, time, None));
    }
    let bases = bases(&mut bench);
    assert_eq!(bases, [0, 11, 22]);
    for (path, bytes) in bench.files.contents() {
        if path.extension().is_some_and(|kind| kind == "index") {
            assert!(bytes.len() <= 80, "{}: {}", path.display(), bytes.len());
        }
    }
}

fn compacted() -> LogConfig {
    LogConfig {
        cleanup_policy: CleanupPolicy::Compact,
        segment_bytes: 4_000,
        min_cleanable_dirty_ratio: Ratio::new(0.5).unwrap(),
        ..LogConfig::default()
    }
}

/// Appends records of keys of their own, so that cleaning leaves the log as long as it was.
fn fill(bench: &mut Bench, log: LogId, keys: std::ops::Range<u32>) {
    for key in keys {
        let mut builder = BatchBuilder::new();
        builder.append(
            bench.now.wall_ms,
            Some(&key.to_be_bytes()),
            Some(&[7; 800]),
            &[],
        );
        let mut bytes = Vec::new();
        builder.build(&mut bytes);
        bench.append_all(log, &bytes);
    }
}

/// Whether the log is cleaned within some minutes.
fn is_cleaned(bench: &mut Bench, minutes: u64) -> bool {
    let before = bench.store().stats().cleaner_runs;
    for _ in 0..minutes {
        bench.pass(MINUTE_MS);
        for _ in 0..300 {
            bench.poll();
        }
    }
    bench.store().stats().cleaner_runs > before
}

#[test]
fn a_log_is_cleaned_when_enough_of_it_is_dirty_or_some_of_it_for_long() {
    let mut bench = Bench::new(POOL, 1);
    let mut config = compacted();
    let log = bench.open_log(1, "t", &config);
    fill(&mut bench, log, 0..40);
    assert!(is_cleaned(&mut bench, 2), "all of it is dirty");
    // A quarter is.
    fill(&mut bench, log, 40..53);
    assert!(!is_cleaned(&mut bench, 30));
    config.max_compaction_lag_ms = 40 * MINUTE_MS as i64;
    bench.store().set_config(log, config.clone());
    assert!(!is_cleaned(&mut bench, 5), "for 35 minutes");
    assert!(is_cleaned(&mut bench, 10), "for 45 minutes");
    // More than half of it is.
    fill(&mut bench, log, 53..130);
    assert!(is_cleaned(&mut bench, 2));
}

#[test]
fn what_is_young_is_not_cleaned() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        min_compaction_lag_ms: 10 * MINUTE_MS as i64,
        ..compacted()
    };
    let log = bench.open_log(1, "t", &config);
    fill(&mut bench, log, 0..40);
    assert!(!is_cleaned(&mut bench, 9));
    assert!(is_cleaned(&mut bench, 2));
}

#[test]
fn a_topic_without_a_policy_keeps_everything() {
    let mut bench = Bench::new(POOL, 1);
    let mut config = LogConfig {
        cleanup_policy: CleanupPolicy::Keep,
        retention_bytes: 1,
        retention_ms: 1,
        segment_bytes: 4_000,
        ..LogConfig::default()
    };
    let log = bench.open_log(1, "t", &config);
    // Of the same keys again and again.
    for _ in 0..3 {
        fill(&mut bench, log, 0..20);
    }
    assert!(!is_cleaned(&mut bench, 60));
    let offsets = bench.store().offsets(log);
    assert_eq!((offsets.start, offsets.end), (0, 60));
    // Only the policy was in the way.
    config.cleanup_policy = CleanupPolicy::Delete;
    bench.store().set_config(log, config);
    is_cleaned(&mut bench, 10);
    assert_eq!(bench.store().offsets(log).start, 60);
}
