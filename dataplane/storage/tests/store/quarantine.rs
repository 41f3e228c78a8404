//! Damage that a running store meets: it is taken out and kept, and the rest is served.

use crate::offline::{Damage, Whole, bytes_of, config, look, whole};
use crate::offline_repair::{serves_what_is_good, touched};
use crate::support::{Bench, DATA, batch};
use precursor_disk::FileSystem;
use precursor_disk::sim::Random;
use precursor_model::{ErrorCode, LogConfig};
use precursor_protocol::records::BatchHeader;
use precursor_storage::{ReadError, ReadOptions};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CASES: u64 = 1500;

/// Segments that are not the last.
fn sealed(whole: &Whole) -> Vec<&(PathBuf, Vec<u8>)> {
    let is_log = |path: &Path| path.extension().is_some_and(|e| e == "log");
    let mut logs: Vec<_> = whole.files.iter().filter(|f| is_log(&f.0)).collect();
    logs.sort();
    logs.pop();
    logs
}

/// Whether a batch is otherwise and its checksum still holds: base offset and epoch are not under it,
/// and readers alone cannot tell a wrong base offset from a gap of compaction's.
fn slips_through(before: &[u8], after: &[u8]) -> bool {
    let mut position = 0;
    while let Some(header) = BatchHeader::parse_prefix(&before[position..]) {
        let end = position + header.total_length().unwrap();
        if let Some(batch) = after.get(position..end)
            && batch != &before[position..end]
            && BatchHeader::parse_prefix(batch).is_some_and(|h| h.checksum_holds(batch))
        {
            return true;
        }
        position = end;
    }
    false
}

#[test]
fn readers_go_on_behind_what_is_damaged() {
    let whole = whole();
    let sealed = sealed(&whole);
    let mut bench = Bench::new(4 << 20, 1);
    for case in 0..CASES {
        let mut random = Random::new(case);
        let (path, bytes) = sealed[random.below(sealed.len() as u64) as usize];
        let damage = Damage::choose(&mut random, bytes.len());
        if matches!(damage, Damage::Missing) {
            continue;
        }
        bench.crash();
        bench.files.restore(&whole.files);
        damage.apply(&bench.files, path, &mut random);
        if slips_through(bytes, &bytes_of(&bench.files, path)) {
            continue;
        }
        let why = format!("case {case}: {damage:?} of {}", path.display());
        bench.start(case);
        serves_what_is_good(&mut bench, &whole, &touched(&whole, path, &damage), &why);
    }
}

/// The first segment with one bit of its second batch changed.
fn flipped(bench: &Bench, whole: &Whole) -> PathBuf {
    let (path, bytes) = sealed(whole)[0];
    let first = BatchHeader::parse_prefix(bytes).unwrap();
    let at = first.total_length().unwrap() + 80;
    bench.files.corrupt(path, |bytes| bytes[at] ^= 1);
    path.clone()
}

#[test]
fn damage_is_taken_out_once_and_counted() {
    let whole = whole();
    let mut bench = Bench::new(4 << 20, 1);
    bench.crash();
    bench.files.restore(&whole.files);
    flipped(&bench, &whole);
    let lost = BatchHeader::parse_prefix(&whole.batches[1]).unwrap();
    bench.start(1);
    let id = bench.open_log(1, "t", &config());
    let bytes = bench.read_from(id, lost.base_offset, 1);
    let header = BatchHeader::parse_prefix(&bytes).unwrap();
    assert_eq!((header.base_offset, header.count), (lost.base_offset, 0));
    assert_eq!(header.last_offset(), lost.last_offset());
    let stats = bench.store().stats();
    assert_eq!(stats.quarantined_batches, 1);
    assert_eq!(stats.quarantined_bytes, whole.batches[1].len() as u64);
    // By time, and by another read: there is nothing left to find.
    bench.find_time(id, 0);
    bench.read_from(id, lost.base_offset, 100_000);
    assert_eq!(bench.store().stats().quarantined_batches, 1);
    let kept = bench
        .files
        .list(&Path::new(DATA).join("quarantine/t-0"))
        .unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    bench.shutdown();
    let (outcome, findings) = look(&bench.files);
    assert_eq!(outcome.damages, 0, "{findings:?}");
}

#[test]
fn recovery_does_not_cut_a_log_where_a_sealed_segment_is_damaged() {
    let whole = whole();
    let mut bench = Bench::new(4 << 20, 1);
    bench.crash();
    bench.files.restore(&whole.files);
    flipped(&bench, &whole);
    // Nobody knows how far the log is sound: all of it is read when it is opened.
    let points = Path::new(DATA).join("recovery-point-offset-checkpoint");
    bench.files.corrupt(&points, Vec::clear);
    bench.start(1);
    let lost = BatchHeader::parse_prefix(&whole.batches[1]).unwrap();
    let lost = BTreeSet::from([lost.base_offset]);
    serves_what_is_good(&mut bench, &whole, &lost, "without a recovery point");
    assert_eq!(bench.store().stats().quarantined_batches, 1);
    let aside = bench.files.list(&Path::new(DATA).join("set-aside"));
    assert!(aside.is_err(), "{aside:?}");
}

#[test]
fn what_is_still_appended_to_is_answered_as_kafka_answers() {
    let mut bench = Bench::new(4 << 20, 1);
    let config = LogConfig {
        index_interval_bytes: 1024,
        ..LogConfig::default()
    };
    let id = bench.open_log(1, "t", &config);
    for n in 0..30 {
        bench.append_all(id, &batch(1, 2000, n, None));
    }
    bench.shutdown();
    let log = Path::new(DATA).join("t-0/00000000000000000000.log");
    bench.files.corrupt(&log, |bytes| bytes[80] ^= 1);
    bench.start(1);
    let id = bench.open_log(1, "t", &config);
    let options = ReadOptions {
        offset: 0,
        max_bytes: 1,
        at_least_one: true,
        committed: false,
    };
    let corrupt = ReadError::NotOnline(ErrorCode::CorruptMessage);
    assert_eq!(bench.read(id, options).err(), Some(corrupt));
    // The rest is served, and the log goes on.
    assert!(!bench.read_from(id, 1, 100).is_empty());
    let next = bench.append_all(id, &batch(1, 100, 30, None));
    assert_eq!(next.base_offset, 30);
}

#[test]
fn a_segment_without_its_end_is_read_past() {
    let whole = whole();
    let mut bench = Bench::new(4 << 20, 1);
    for kept in [0, 1] {
        bench.crash();
        bench.files.restore(&whole.files);
        let (path, bytes) = sealed(&whole)[0];
        let first = BatchHeader::parse_prefix(bytes).unwrap();
        let length = kept * first.total_length().unwrap();
        bench.files.corrupt(path, |bytes| bytes.truncate(length));
        bench.start(1);
        let id = bench.open_log(1, "t", &config());
        let lost = kept as i64 * (first.last_offset() + 1);
        let header = BatchHeader::parse_prefix(&bench.read_from(id, lost, 1)).unwrap();
        assert_eq!((header.base_offset, header.count), (lost, 0));
        let behind = header.last_offset() + 1;
        let next = BatchHeader::parse_prefix(&bench.read_from(id, behind, 1)).unwrap();
        assert_eq!(next.base_offset, behind);
        assert!(next.count > 0);
    }
}
