//! Looking through a data directory that no store has open: what is whole is found whole, and every
//! damage is found.

use crate::support::{Bench, DATA, batch, stored};
use precursor_disk::sim::{Random, SimFileSystem};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::LogConfig;
use precursor_storage::offline::{
    Dumped, Finding, Severity, Verification, Watch, dump_file, repair, verify,
};
use std::path::{Path, PathBuf};

const CASES: u64 = 4000;

/// What is damaged, and how.
#[derive(Debug)]
pub enum Damage {
    Flip {
        at: usize,
        bit: u8,
    },
    Noise {
        at: usize,
        count: usize,
    },
    Zeroes {
        at: usize,
        count: usize,
    },
    /// Bytes are missing.
    Cut {
        at: usize,
        count: usize,
    },
    /// Bytes are there twice.
    Doubled {
        at: usize,
        count: usize,
    },
    Shorter {
        to: usize,
    },
    Longer {
        by: usize,
    },
    Missing,
}

impl Damage {
    pub fn choose(random: &mut Random, length: usize) -> Damage {
        let at = random.below(length as u64) as usize;
        let count = 1 + random.below((length - at).min(5000) as u64) as usize;
        match random.below(12) {
            0..=4 => Damage::Flip {
                at,
                bit: random.below(8) as u8,
            },
            5 => Damage::Noise { at, count },
            6 => Damage::Zeroes { at, count },
            7 => Damage::Cut { at, count },
            8 => Damage::Doubled { at, count },
            9 => Damage::Shorter { to: at },
            10 => Damage::Longer {
                by: 1 + random.below(9000) as usize,
            },
            _ => Damage::Missing,
        }
    }

    pub fn apply(&self, files: &SimFileSystem, path: &Path, random: &mut Random) {
        if matches!(self, Damage::Missing) {
            return files.remove_file(path).unwrap();
        }
        files.corrupt(path, |bytes| match *self {
            Damage::Flip { at, bit } => bytes[at] ^= 1 << bit,
            Damage::Noise { at, count } => {
                bytes[at..at + count].fill_with(|| random.number() as u8);
            }
            Damage::Zeroes { at, count } => bytes[at..at + count].fill(0),
            Damage::Cut { at, count } => drop(bytes.drain(at..at + count)),
            Damage::Doubled { at, count } => {
                let again = bytes[at..at + count].to_vec();
                bytes.splice(at..at, again);
            }
            Damage::Shorter { to } => bytes.truncate(to),
            Damage::Longer { by } => bytes.extend((0..by).map(|_| random.number() as u8)),
            Damage::Missing => {}
        });
    }
}

pub fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 40_000,
        index_interval_bytes: 1024,
        ..LogConfig::default()
    }
}

/// A log of a few segments after a clean stop: its files, and its batches.
pub struct Whole {
    pub files: Vec<(PathBuf, Vec<u8>)>,
    pub batches: Vec<Vec<u8>>,
}

pub fn whole() -> Whole {
    let mut random = Random::new(11);
    let mut bench = Bench::new(8 << 20, 1);
    let id = bench.open_log(1, "t", &config());
    let mut batches = Vec::new();
    let mut sequence = 0;
    for n in 0..60 {
        let count = 1 + random.below(4) as usize;
        let bytes = 300 + random.below(3000) as usize;
        let sent = batch(count, bytes, n * 100, Some((7, 0, sequence)));
        sequence += count as i32;
        let appended = bench.append_all(id, &sent);
        batches.push(stored(&sent, appended.base_offset));
        bench.poll();
    }
    bench.pass(1000);
    for _ in 0..200 {
        bench.poll();
    }
    bench.shutdown();
    Whole {
        files: bench.files.contents(),
        batches,
    }
}

/// Keeps what is found.
#[derive(Default)]
pub struct Findings(pub Vec<Finding>);

impl Watch for Findings {
    fn found(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

pub fn look(files: &SimFileSystem) -> (Verification, Vec<Finding>) {
    let mut findings = Findings::default();
    let outcome = verify(files, Path::new(DATA), &mut findings).unwrap();
    (outcome, findings.0)
}

pub fn bytes_of(files: &SimFileSystem, path: &Path) -> Vec<u8> {
    (files as &dyn FileSystem).read(path).unwrap()
}

#[test]
fn a_whole_directory_is_whole() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    bench.files.restore(&whole.files);
    let before = bench.files.contents();
    let (outcome, findings) = look(&bench.files);
    assert_eq!(findings, []);
    assert_eq!((outcome.partitions, outcome.batches), (1, 60));
    assert!(outcome.segments > 3);
    let bytes: usize = whole.batches.iter().map(Vec::len).sum();
    assert_eq!(outcome.bytes, bytes as u64);
    assert_eq!(bench.files.contents(), before);
}

/// A directory of somebody else's that is called like a partition is no partition without records,
/// and what a broker notes of its log directories is no stranger's.
#[test]
fn what_only_looks_like_a_partition_is_left_alone() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    bench.files.restore(&whole.files);
    for name in ["log-directories", ".log-directory", "dbus-1/session.conf"] {
        let path = Path::new(DATA).join(name);
        bench
            .files
            .create_directory(path.parent().unwrap())
            .unwrap();
        bench.files.open(&path, OpenMode::Create).unwrap();
    }
    let before = bench.files.contents();
    let (outcome, findings) = look(&bench.files);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].file.ends_with("dbus-1"), "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Note);
    assert_eq!(outcome.partitions, 1);
    repair(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
    assert_eq!(bench.files.contents(), before);
}

/// Partitions that nobody has written to yet are no damage, after a stop, after a second one, and
/// beside others.
#[test]
fn partitions_without_records_are_whole() {
    let mut bench = Bench::new(4 << 20, 1);
    for stop in 1..=2 {
        let written = bench.open_log(1, "written", &config());
        bench.open_log(2, "empty", &config());
        bench.append_all(written, &batch(1, 100, 1, None));
        bench.shutdown();
        let (outcome, findings) = look(&bench.files);
        assert_eq!(findings, [], "stop {stop}");
        assert_eq!((outcome.partitions, outcome.batches), (2, stop));
        bench.start(stop);
    }
}

#[test]
fn every_damage_is_found() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    // Text files can be changed into others that are as sound.
    let binary = ["log", "index", "timeindex", "producers", "snapshot"];
    let is_binary = |path: &Path| {
        path.extension()
            .is_some_and(|e| binary.iter().any(|b| e == *b))
    };
    let targets: Vec<_> = whole.files.iter().filter(|f| is_binary(&f.0)).collect();
    for case in 0..CASES {
        let mut random = Random::new(case);
        let (path, bytes) = targets[random.below(targets.len() as u64) as usize];
        if bytes.is_empty() {
            continue;
        }
        let damage = Damage::choose(&mut random, bytes.len());
        // A snapshot may be missing: the one before it, and the log, know as much.
        let is_snapshot = path
            .extension()
            .is_some_and(|e| e == "producers" || e == "snapshot");
        if is_snapshot && matches!(damage, Damage::Missing) {
            continue;
        }
        bench.files.restore(&whole.files);
        damage.apply(&bench.files, path, &mut random);
        let changed = bench.files.contents() != whole.files;
        let (outcome, findings) = look(&bench.files);
        let why = format!(
            "case {case}: {damage:?} of {}: {findings:?}",
            path.display()
        );
        // Whole entries of an index that are missing make it coarser, not wrong.
        let entry = match path.extension().and_then(|e| e.to_str()) {
            Some("index") => 8,
            Some("timeindex") => 12,
            _ => usize::MAX,
        };
        let coarser = matches!(damage, Damage::Cut { .. } | Damage::Shorter { .. })
            && bytes_of(&bench.files, path).len().is_multiple_of(entry);
        assert!(!changed || coarser || outcome.damages > 0, "{why}");
    }
}

#[test]
fn text_files_that_make_no_sense_are_named() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    for name in [
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "t-0/leader-epoch-checkpoint",
        "t-0/partition.metadata",
    ] {
        bench.files.restore(&whole.files);
        let path = Path::new(DATA).join(name);
        bench.files.corrupt(&path, |bytes| bytes.truncate(1));
        let (_, findings) = look(&bench.files);
        assert!(
            findings.iter().any(|f| f.file == path),
            "{name}: {findings:?}"
        );
    }
    bench.files.restore(&whole.files);
    let foreign = Path::new(DATA).join("t-0/notes.txt");
    let mut files = whole.files.clone();
    files.push((foreign.clone(), b"hello".to_vec()));
    bench.files.restore(&files);
    let (outcome, findings) = look(&bench.files);
    assert_eq!((outcome.damages, outcome.notes), (0, 1));
    assert_eq!((findings[0].kind, &findings[0].file), ("foreign", &foreign));
}

#[test]
fn missing_and_overlapping_segments_are_told() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    let logs: Vec<&PathBuf> = whole.files.iter().map(|f| &f.0).collect();
    let logs: Vec<&&PathBuf> = logs
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    let base = |path: &Path| -> i64 {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        stem.parse().unwrap()
    };
    bench.files.restore(&whole.files);
    bench.files.remove_file(logs[1]).unwrap();
    let (_, findings) = look(&bench.files);
    let lost = Some((base(logs[1]), base(logs[2]) - 1));
    assert!(findings.iter().any(|f| f.offsets == lost), "{findings:?}");
    // The second segment's batches also stand at the first one's end.
    bench.files.restore(&whole.files);
    let more = bytes_of(&bench.files, logs[1]);
    bench.files.corrupt(logs[0], |bytes| bytes.extend(more));
    let (_, findings) = look(&bench.files);
    let told = |f: &Finding| f.file == **logs[0] && f.what.contains("overlap");
    assert!(findings.iter().any(told), "{findings:?}");
}

#[test]
fn a_dump_tells_every_batch_and_record() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    bench.files.restore(&whole.files);
    let (mut batches, mut records, mut entries) = (0, 0, 0);
    for (path, _) in &whole.files {
        if !path.starts_with(Path::new(DATA).join("t-0")) {
            continue;
        }
        let dumped = dump_file(&bench.files, path, true, &mut |dumped| {
            match dumped {
                Dumped::Batch { header, .. } => {
                    let sent = &whole.batches[batches];
                    let base = i64::from_be_bytes(sent[..8].try_into().unwrap());
                    assert_eq!(header.base_offset, base);
                    batches += 1;
                }
                Dumped::Record { offset, record, .. } => {
                    assert_eq!(offset, records);
                    assert_eq!(record.key, Some(&b"k"[..]));
                    records += 1;
                }
                Dumped::Position { .. } | Dumped::Time { .. } => entries += 1,
                Dumped::Hole { .. } | Dumped::Unreadable { .. } => panic!("{dumped:?}"),
                _ => {}
            }
            Ok(())
        });
        dumped.unwrap();
    }
    assert_eq!(batches, 60);
    assert!(records > 60 && entries > 60);
}
