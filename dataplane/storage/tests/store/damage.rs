//! Recovery refuses nothing good and keeps nothing bad: one damage per case, seeded.

use crate::support::{Bench, batch, stored};
use precursor_disk::sim::Random;
use precursor_model::LogConfig;
use std::path::{Path, PathBuf};

const CASES: u64 = 1500;

/// What was done to the files of a log that holds `sizes` bytes in batches.
#[derive(Debug)]
enum Damage {
    /// The last segment ends early.
    Torn {
        cut: u64,
    },
    /// The end of the last segment reads as zeroes.
    Zeroed {
        from: u64,
    },
    /// One bit of the last segment.
    Flipped {
        at: u64,
        bit: u8,
    },
    /// Bytes behind the last batch.
    Garbage {
        count: u64,
    },
    IndexMissing,
    IndexCut {
        to: u64,
    },
    IndexGarbage,
    SnapshotGarbage,
    CheckpointGarbage,
}

fn choose(random: &mut Random, length: u64) -> Damage {
    match random.below(9) {
        0 => Damage::Torn {
            cut: random.below(length + 1),
        },
        1 => Damage::Zeroed {
            from: random.below(length + 1),
        },
        2 => Damage::Flipped {
            at: random.below(length),
            bit: random.below(8) as u8,
        },
        3 => Damage::Garbage {
            count: 1 + random.below(9000),
        },
        4 => Damage::IndexMissing,
        5 => Damage::IndexCut {
            to: random.below(100),
        },
        6 => Damage::IndexGarbage,
        7 => Damage::SnapshotGarbage,
        _ => Damage::CheckpointGarbage,
    }
}

/// A log of a few segments on disk, and its batches.
struct Original {
    files: Vec<(PathBuf, Vec<u8>)>,
    batches: Vec<Vec<u8>>,
    last_segment: PathBuf,
    /// Position in the last segment and count of batches before it, of each batch there.
    ends: Vec<(u64, usize)>,
    clean: bool,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 40_000,
        index_interval_bytes: 1024,
        ..LogConfig::default()
    }
}

fn original(clean: bool) -> Original {
    let mut random = Random::new(5);
    let mut bench = Bench::new(8 << 20, 1);
    let id = bench.open_log(1, "t", &config());
    let mut batches: Vec<Vec<u8>> = Vec::new();
    for n in 0..60 {
        let producer = Some((7, 0, n));
        let sent = batch(1, 300 + random.below(3000) as usize, i64::from(n), producer);
        let appended = bench.append_all(id, &sent);
        batches.push(stored(&sent, appended.base_offset));
        bench.poll();
    }
    bench.pass(1000);
    for _ in 0..200 {
        bench.poll();
    }
    if clean {
        bench.shutdown();
    }
    let all = bench.files.contents();
    let is_log = |path: &&PathBuf| path.extension().is_some_and(|e| e == "log");
    let last_segment = all
        .iter()
        .map(|file| &file.0)
        .filter(is_log)
        .max()
        .unwrap()
        .clone();
    let name = last_segment
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let first: usize = name.parse().unwrap();
    let mut end = 0;
    let ends = (first..60)
        .map(|n| {
            end += batches[n].len() as u64;
            (end, n + 1)
        })
        .collect();
    Original {
        files: all,
        batches,
        last_segment,
        ends,
        clean,
    }
}

fn apply(bench: &Bench, original: &Original, damage: &Damage, random: &mut Random) {
    let log = &original.last_segment;
    let of_kind = |kind: &str| {
        let mut paths = bench.files.paths();
        paths.retain(|path| path.extension().is_some_and(|e| e == kind));
        paths
    };
    let mut noise = |bytes: &mut Vec<u8>| bytes.iter_mut().for_each(|b| *b = random.number() as u8);
    match damage {
        Damage::Torn { cut } => bench.files.corrupt(log, |b| b.truncate(*cut as usize)),
        Damage::Zeroed { from } => bench.files.corrupt(log, |b| b[*from as usize..].fill(0)),
        Damage::Flipped { at, bit } => bench.files.corrupt(log, |b| b[*at as usize] ^= 1 << bit),
        Damage::Garbage { count } => bench.files.corrupt(log, |bytes| {
            let mut more = vec![0; *count as usize];
            noise(&mut more);
            bytes.extend(more);
        }),
        Damage::IndexMissing => {
            for path in of_kind("index").into_iter().chain(of_kind("timeindex")) {
                precursor_disk::FileSystem::remove_file(&bench.files, &path).unwrap();
            }
        }
        Damage::IndexCut { to } => {
            for path in of_kind("index").into_iter().chain(of_kind("timeindex")) {
                bench.files.corrupt(&path, |b| b.truncate(*to as usize));
            }
        }
        Damage::IndexGarbage => {
            for path in of_kind("index").into_iter().chain(of_kind("timeindex")) {
                bench.files.corrupt(&path, &mut noise);
            }
        }
        Damage::SnapshotGarbage => {
            for path in of_kind("snapshot").into_iter().chain(of_kind("producers")) {
                bench.files.corrupt(&path, &mut noise);
            }
        }
        Damage::CheckpointGarbage => {
            for name in [
                "recovery-point-offset-checkpoint",
                "log-start-offset-checkpoint",
            ] {
                bench
                    .files
                    .corrupt(&Path::new("/data").join(name), &mut noise);
            }
            let epochs = Path::new("/data/t-0/leader-epoch-checkpoint");
            bench.files.corrupt(epochs, &mut noise);
        }
    }
}

/// How many batches must be there: every one that the damage did not touch.
fn expected(original: &Original, damage: &Damage) -> std::ops::RangeInclusive<usize> {
    let whole_before = |position: u64| {
        let whole = original.ends.iter().filter(|end| end.0 <= position).count();
        original.ends[0].1 - 1 + whole
    };
    let all = original.batches.len();
    match damage {
        // A cut or a zeroed byte may happen to change nothing: zeroes were there.
        Damage::Torn { cut } => whole_before(*cut)..=whole_before(*cut),
        Damage::Zeroed { from } => whole_before(*from)..=all,
        Damage::Flipped { at, .. } => whole_before(*at)..=all,
        _ => all..=all,
    }
}

/// The same but for the leader epoch, which no checksum covers.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a[..12] == b[..12] && a[16..] == b[16..]
}

fn run_case(bench: &mut Bench, original: &Original, case: u64) {
    let mut random = Random::new(case);
    let bytes = |path: &PathBuf| {
        original
            .files
            .iter()
            .find(|f| f.0 == *path)
            .unwrap()
            .1
            .len()
    };
    let damage = choose(&mut random, bytes(&original.last_segment) as u64);
    bench.crash();
    bench.files.restore(&original.files);
    apply(bench, original, &damage, &mut random);
    bench.start(case);
    let id = bench.open_log(1, "t", &config());
    let end = bench.store().offsets(id).end as usize;
    let why = format!(
        "case {case}, clean {}: {damage:?}: end {end}",
        original.clean
    );
    // After a clean stop only what lies past the recovery point is looked at again; bytes of the
    // file that are lost, or make no batch, must be noticed all the same.
    let expected = expected(original, &damage);
    let trusted =
        original.clean && matches!(damage, Damage::Zeroed { .. } | Damage::Flipped { .. });
    assert!(
        trusted || expected.contains(&end),
        "{why}, not {expected:?}"
    );
    let mut offset = 0;
    let mut good = 0;
    while offset < end {
        let options = precursor_storage::ReadOptions {
            offset: offset as i64,
            max_bytes: 1,
            at_least_one: true,
            committed: false,
        };
        match bench.read(id, options) {
            Ok(bytes) if same(&bytes, &original.batches[offset]) => good += 1,
            result => assert!(
                trusted,
                "{why}: offset {offset}: {:?}",
                result.map(|b| b.len())
            ),
        }
        offset += 1;
    }
    assert!(trusted || good == end, "{why}");
    let known = bench.store().offset_for_leader_epoch(id, 3);
    assert!(
        end == 0 || trusted || known == (3, end as i64),
        "{why}: {known:?}"
    );
    // It goes on where it ended, and knows its producer.
    let next = batch(1, 100, 1, Some((7, 0, end as i32)));
    let appended = bench.append_all(id, &next);
    assert_eq!(
        (appended.base_offset, appended.duplicate),
        (end as i64, false),
        "{why}"
    );
    let last = batch(1, 100, 1, Some((7, 0, end as i32)));
    assert!(bench.append_all(id, &last).duplicate, "{why}");
    // The next case is to find nothing of this one in the region.
    bench.store().remove_log(id);
}

#[test]
fn damage_after_a_crash_costs_what_it_touched() {
    let original = original(false);
    let mut bench = Bench::new(4 << 20, 1);
    for case in 0..CASES {
        run_case(&mut bench, &original, case);
    }
}

#[test]
fn damage_after_a_clean_stop_is_survived() {
    let original = original(true);
    let mut bench = Bench::new(4 << 20, 1);
    for case in 0..CASES / 3 {
        run_case(&mut bench, &original, case);
    }
}
