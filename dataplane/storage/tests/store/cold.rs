//! Sealed segments in containers: the same bytes out, whatever happens on the way.

use crate::offline::look;
use crate::support::{Bench, DATA, stored};
use precursor_disk::sim::Random;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::{CleanupPolicy, ColdCompression, LogConfig};
use precursor_protocol::records::{BatchBuilder, BatchHeader};
use precursor_storage::LogId;
use std::path::{Path, PathBuf};

pub const KINDS: [ColdCompression; 5] = [
    ColdCompression::Zstd,
    ColdCompression::ZstdDict,
    ColdCompression::Brotli,
    ColdCompression::Lzma,
    ColdCompression::Adaptive,
];

pub fn config(kind: ColdCompression) -> LogConfig {
    LogConfig {
        segment_bytes: 60_000,
        index_interval_bytes: 1_000,
        retention_ms: -1,
        cold_compression: kind,
        cold_compression_chunk_bytes: 4096,
        cold_compression_min_age_ms: 0,
        ..LogConfig::default()
    }
}

/// Rows as applications write them: alike, and each of its own.
fn rows(first: usize, count: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for n in first..first + count {
        let user = n * 7919 % 997;
        let value = format!(
            "{{\"id\":{n},\"user\":\"user-{user}\",\"city\":\"Bern\",\"amount\":{},\"paid\":{}}}",
            n * 31 % 10_007,
            n % 3 == 0
        );
        builder.append(1_000 + n as i64, None, Some(value.as_bytes()), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

/// A log of several segments, on disk, and what it holds.
fn filled(bench: &mut Bench, config: &LogConfig) -> (LogId, Vec<Vec<u8>>) {
    filled_with(bench, config, 20)
}

/// The same of 150 batches of so many rows.
pub fn filled_with(bench: &mut Bench, config: &LogConfig, count: usize) -> (LogId, Vec<Vec<u8>>) {
    let id = bench.open_log(1, "t", config);
    let mut batches = Vec::new();
    for n in 0..150 {
        let sent = rows(count * n, count);
        let appended = bench.append_all(id, &sent);
        batches.push(stored(&sent, appended.base_offset));
    }
    bench.shutdown();
    bench.start(2);
    (bench.open_log(1, "t", config), batches)
}

/// A compacted log of several segments, with nothing to compact in it.
fn fill_keyed(bench: &mut Bench, config: &LogConfig) {
    let id = bench.open_log(1, "t", config);
    for n in 0..150i64 {
        let mut builder = BatchBuilder::new();
        builder.append(n, Some(&n.to_be_bytes()), Some(&[7; 2_000]), &[]);
        let mut sent = Vec::new();
        builder.build(&mut sent);
        bench.append_all(id, &sent);
    }
    bench.shutdown();
    bench.start(2);
    bench.open_log(1, "t", config);
}

/// Lets the background work until it has nothing more to do.
pub fn freeze(bench: &mut Bench) {
    for _ in 0..100 {
        bench.pass(20_000);
        for _ in 0..50 {
            bench.poll();
        }
    }
}

fn partition() -> PathBuf {
    Path::new(DATA).join("t-0")
}

fn names(bench: &Bench, end: &str) -> Vec<String> {
    let mut names = bench.files.list(&partition()).unwrap();
    names.retain(|name| name.ends_with(end));
    names.sort();
    names
}

pub fn all(bench: &mut Bench, id: LogId) -> Vec<u8> {
    let (mut bytes, end) = (Vec::new(), bench.store().offsets(id).end);
    let mut offset = bench.store().offsets(id).start;
    while offset < end {
        let some = bench.read_from(id, offset, 50_000);
        let mut rest = &some[..];
        while let Some(header) = BatchHeader::parse_prefix(rest) {
            offset = header.last_offset() + 1;
            rest = &rest[header.total_length().unwrap()..];
        }
        bytes.extend_from_slice(&some);
    }
    bytes
}

#[test]
fn every_codec_gives_back_the_batches_as_they_were() {
    for kind in KINDS {
        let mut bench = Bench::new(4 << 20, 1);
        let (id, batches) = filled(&mut bench, &config(kind));
        let plain = bench.store().sizes(id).bytes;
        let segments = bench.store().sizes(id).segments as usize;
        assert!(segments > 4, "{segments}");
        freeze(&mut bench);
        let cold = names(&bench, ".log.cold");
        assert_eq!(cold.len(), segments - 1, "{kind:?}");
        assert_eq!(names(&bench, ".log").len(), 1, "the last one stays");
        let stats = bench.store().stats();
        assert_eq!(stats.cold_segments as usize, segments - 1);
        assert_eq!(stats.cold_failures, 0);
        let saved = stats.cold_bytes_before - stats.cold_bytes_after;
        assert_eq!(bench.store().sizes(id).bytes, plain - saved);
        assert!(
            stats.cold_bytes_before > 2 * stats.cold_bytes_after,
            "{kind:?}"
        );
        assert_eq!(all(&mut bench, id), batches.concat(), "{kind:?}");
        assert!(bench.store().stats().cold_chunks_read > 0);
        // From the middle, by offset and by time.
        for n in [0, 7, 77, 149] {
            let offset = 20 * n as i64 + 13;
            assert!(bench.read_from(id, offset, 1).starts_with(&batches[n]));
            let found = bench.find_time(id, 1_000 + offset).unwrap();
            assert_eq!(found.offset, offset);
        }
        let bytes = bench.store().sizes(id).bytes;
        bench.shutdown();
        let (outcome, findings) = look(&bench.files);
        assert_eq!((outcome.damages, outcome.notes), (0, 0), "{findings:?}");
        assert_eq!(outcome.records, 3_000);
        bench.start(3);
        let id = bench.open_log(1, "t", &config(kind));
        assert_eq!(
            bench.store().sizes(id).bytes,
            bytes,
            "known after a start too"
        );
        assert_eq!(all(&mut bench, id), batches.concat(), "{kind:?}");
    }
}

#[test]
fn dictionaries_stay_as_long_as_they_are_needed() {
    let mut bench = Bench::new(4 << 20, 1);
    let mut config = config(ColdCompression::ZstdDict);
    config.segment_bytes = 250_000;
    let (id, batches) = filled_with(&mut bench, &config, 100);
    freeze(&mut bench);
    assert_eq!(names(&bench, ".dict").len(), 1, "one serves all");
    assert_eq!(all(&mut bench, id), batches.concat());
    let end = bench.store().offsets(id).end;
    bench.store().delete_records(id, end / 2).unwrap();
    freeze(&mut bench);
    assert_eq!(names(&bench, ".dict").len(), 1);
    assert!(!names(&bench, ".log.cold").is_empty());
    bench.store().delete_records(id, end).unwrap();
    freeze(&mut bench);
    assert_eq!(names(&bench, ".log.cold").len(), 0);
    assert_eq!(names(&bench, ".dict").len(), 0);
}

#[test]
fn what_does_not_shrink_and_what_is_young_or_compacted_stays() {
    let mut young = config(ColdCompression::Zstd);
    young.cold_compression_min_age_ms = i64::MAX;
    let mut compacted = config(ColdCompression::Zstd);
    compacted.cleanup_policy = CleanupPolicy::Compact;
    for config in [young, compacted, config(ColdCompression::None)] {
        let mut bench = Bench::new(4 << 20, 1);
        match config.cleanup_policy {
            // Every record needs a key there.
            CleanupPolicy::Compact => fill_keyed(&mut bench, &config),
            _ => drop(filled(&mut bench, &config)),
        }
        freeze(&mut bench);
        assert_eq!(names(&bench, ".log.cold").len(), 0, "{config:?}");
    }
    let mut bench = Bench::new(4 << 20, 1);
    let config = config(ColdCompression::Zstd);
    let id = bench.open_log(1, "t", &config);
    let mut random = Random::new(4);
    for n in 0..100 {
        let mut builder = BatchBuilder::new();
        let noise: Vec<u8> = (0..3_000).map(|_| random.below(256) as u8).collect();
        builder.append(n, None, Some(&noise), &[]);
        let mut sent = Vec::new();
        builder.build(&mut sent);
        bench.append_all(id, &sent);
    }
    bench.shutdown();
    bench.start(2);
    bench.open_log(1, "t", &config);
    freeze(&mut bench);
    assert_eq!(
        names(&bench, ".cold").len() + names(&bench, ".tmp").len(),
        0
    );
    assert_eq!(bench.store().stats().cold_failures, 0);
}

#[test]
fn retention_counts_what_lies_on_disk() {
    let mut bench = Bench::new(4 << 20, 1);
    let mut config = config(ColdCompression::Zstd);
    let (id, _) = filled(&mut bench, &config);
    let plain = bench.store().sizes(id).bytes as i64;
    freeze(&mut bench);
    config.retention_bytes = plain / 2;
    config.retention_ms = -1;
    bench.store().set_config(id, config.clone());
    bench.pass(600_000);
    freeze(&mut bench);
    assert_eq!(bench.store().offsets(id).start, 0, "it fits now");
    config.retention_bytes = bench.store().sizes(id).bytes as i64 - 40_000;
    bench.store().set_config(id, config);
    bench.pass(600_000);
    freeze(&mut bench);
    assert!(bench.store().offsets(id).start > 0);
}

#[test]
fn a_cold_segment_that_must_be_written_to_is_thawed() {
    let mut bench = Bench::new(4 << 20, 1);
    let config = config(ColdCompression::ZstdDict);
    let (_, batches) = filled(&mut bench, &config);
    freeze(&mut bench);
    bench.shutdown();
    // The last segment is gone: the one before is the last now.
    let last = names(&bench, ".log").pop().unwrap();
    let base: i64 = last.trim_end_matches(".log").parse().unwrap();
    for name in bench.files.list(&partition()).unwrap() {
        if name.starts_with(last.trim_end_matches("log")) {
            bench.files.remove_file(&partition().join(name)).unwrap();
        }
    }
    let cold = names(&bench, ".log.cold").len();
    bench.start(3);
    let id = bench.open_log(1, "t", &config);
    assert_eq!(bench.store().offsets(id).end, base);
    assert_eq!(names(&bench, ".log.cold").len(), cold - 1);
    let sent = rows(base as usize, 20);
    assert_eq!(bench.append_all(id, &sent).base_offset, base);
    let whole = batches[..base as usize / 20].concat();
    assert_eq!(all(&mut bench, id), [whole, stored(&sent, base)].concat());
}

#[test]
fn a_crash_at_any_step_of_compressing_loses_nothing() {
    for power in [false, true] {
        let mut steps = 0;
        loop {
            let mut bench = Bench::new(4 << 20, 1);
            let config = config(ColdCompression::ZstdDict);
            let (_, batches) = filled_with(&mut bench, &config, 8);
            bench.files.stop_after(steps);
            for _ in 0..20 {
                bench.pass(20_000);
                for _ in 0..20 {
                    bench.poll();
                }
            }
            let finished = !bench.files.is_stopped();
            bench.files.heal();
            match power {
                true => bench.lose_power(&mut Random::new(steps)),
                false => bench.crash(),
            }
            bench.start(steps);
            let id = bench.open_log(1, "t", &config);
            assert_eq!(all(&mut bench, id), batches.concat(), "step {steps}");
            let left = bench.files.list(&partition()).unwrap();
            let stray = |name: &String| name.ends_with(".tmp") || name.ends_with(".deleted");
            assert!(!left.iter().any(stray), "step {steps}: {left:?}");
            freeze(&mut bench);
            assert!(!names(&bench, ".log.cold").is_empty(), "step {steps}");
            assert_eq!(all(&mut bench, id), batches.concat(), "step {steps}");
            if finished {
                break;
            }
            // Losing power at a step is dying there, and more.
            steps += if power { 1 } else { 3 };
        }
        assert!(steps > 15, "{steps} steps");
    }
}

fn bytes(bench: &Bench, path: &Path) -> Vec<u8> {
    let files: &dyn FileSystem = &bench.files;
    files.read(path).unwrap()
}

#[test]
fn what_a_swap_leaves_at_any_step_is_one_of_the_two() {
    let mut bench = Bench::new(4 << 20, 1);
    let config = config(ColdCompression::ZstdDict);
    let (_, batches) = filled(&mut bench, &config);
    let first = names(&bench, ".log").remove(0);
    let segment = partition().join(&first);
    let plain = bytes(&bench, &segment);
    freeze(&mut bench);
    bench.shutdown();
    let container = partition().join(format!("{first}.cold"));
    let cold = bytes(&bench, &container);
    let put = |bench: &Bench, name: String, bytes: &[u8]| {
        let path = partition().join(name);
        let file = bench.files.open(&path, OpenMode::Create).unwrap();
        file.set_length(0).unwrap();
        file.write_at(bytes, 0).unwrap();
    };
    let take = |bench: &Bench, name: String| {
        let _ = bench.files.remove_file(&partition().join(name));
    };
    // As place() goes: begun, ready, both, doomed, done; and begun to be thawed.
    let steps: [(&str, &[&str]); 7] = [
        ("begun", &[".log", ".log.cold.tmp(half)"]),
        ("ready", &[".log", ".log.cold.tmp"]),
        ("both", &[".log", ".log.cold"]),
        ("doomed", &[".log.deleted", ".log.cold"]),
        ("done", &[".log.cold"]),
        ("thawing", &[".log.thaw.tmp(half)", ".log.cold"]),
        ("thawed", &[".log", ".log.cold"]),
    ];
    let stem = first.trim_end_matches(".log").to_owned();
    for (step, there) in steps {
        for end in [
            ".log",
            ".log.cold",
            ".log.cold.tmp",
            ".log.deleted",
            ".log.thaw.tmp",
        ] {
            take(&bench, format!("{stem}{end}"));
        }
        for name in there {
            let end = name.trim_end_matches("(half)");
            let content = if end.contains("cold") { &cold } else { &plain };
            let half = name.len() != end.len();
            let content = &content[..content.len() / (1 + usize::from(half))];
            put(&bench, format!("{stem}{end}"), content);
        }
        bench.start(3);
        let id = bench.open_log(1, "t", &config);
        let mut left: Vec<String> = bench.files.list(&partition()).unwrap();
        left.retain(|name| name.starts_with(&stem) && name.contains(".log"));
        assert_eq!(left.len(), 1, "{step}: {left:?}");
        assert_eq!(all(&mut bench, id), batches.concat(), "{step}");
        bench.shutdown();
        let (outcome, findings) = look(&bench.files);
        assert_eq!(outcome.damages, 0, "{step}: {findings:?}");
    }
}

/// What was written before frames lost their magic numbers (version 1 of the container).
const VERSION_1: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/containers/zstd-0");

#[test]
fn a_container_of_version_1_is_read_whole() {
    let length = u32::from_le_bytes(*VERSION_1.first_chunk().unwrap()) as usize >> 1;
    let container = &VERSION_1[4..4 + length];
    assert_eq!(container[8..10], [1, 0]);
    let mut bench = Bench::new(8 << 20, 1);
    let mut plain = config(ColdCompression::None);
    plain.segment_bytes = 1 << 20;
    let id = bench.open_log(1, "t", &plain);
    bench.shutdown();
    // In the place of the log's first segment, with another behind it.
    let directory = Path::new(DATA).join("t-0");
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        let file = bench.files.open(&path, OpenMode::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
    };
    let first = directory.join("00000000000000000000.log");
    bench.files.remove_file(&first).unwrap();
    file("00000000000000000000.log.cold", container);
    let segment = precursor_storage::ColdFiles::on(&bench.files)
        .open(&first, OpenMode::Read)
        .unwrap();
    let mut bytes = vec![0; segment.length().unwrap() as usize];
    assert_eq!(segment.read_at(&mut bytes, 0).unwrap(), bytes.len());
    let (mut at, mut next) = (0, 0);
    while at < bytes.len() {
        let header = BatchHeader::parse_prefix(&bytes[at..]).unwrap();
        let end = at + header.total_length().unwrap();
        assert!(header.checksum_holds(&bytes[at..end]), "the batch at {at}");
        assert_eq!(header.base_offset, next);
        (at, next) = (end, header.last_offset() + 1);
    }
    assert!(next > 100, "{next} records");
    file(&format!("{next:020}.log"), &[]);
    let points = format!("0\n1\nt 0 {next}\n");
    let path = Path::new(DATA).join("recovery-point-offset-checkpoint");
    let files: &dyn FileSystem = &bench.files;
    files.replace(&path, points.as_bytes()).unwrap();
    bench.start(2);
    let again = bench.open_log(1, "t", &plain);
    assert_eq!(again.slot, id.slot);
    assert_eq!(bench.store().offsets(again).end, next);
    let mut read = Vec::new();
    while read.len() < bytes.len() {
        let header = BatchHeader::parse_prefix(&bytes[read.len()..]).unwrap();
        read.extend(bench.read_from(again, header.base_offset, 10_000));
    }
    assert!(read == bytes);
    assert!(bench.store().stats().cold_chunks_read > 0);
}
