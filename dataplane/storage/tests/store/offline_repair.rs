//! Mending a data directory: whatever was damaged, afterwards nothing is, what was good is served,
//! and nothing of the rest is gone.

use crate::offline::{Damage, Findings, Whole, config, look, whole};
use crate::support::{Bench, DATA, batch};
use precursor_disk::sim::Random;
use precursor_protocol::records::BatchHeader;
use precursor_storage::ReadOptions;
use precursor_storage::offline::{Step, plan, repair};
use std::collections::BTreeSet;
use std::path::Path;

const CASES: u64 = 1000;

/// Base offsets of the batches that a damage of a log file can have touched.
pub fn touched(whole: &Whole, path: &Path, damage: &Damage) -> BTreeSet<i64> {
    let (from, to) = match *damage {
        Damage::Flip { at, .. } => (at, at + 1),
        Damage::Noise { at, count }
        | Damage::Zeroes { at, count }
        | Damage::Cut { at, count }
        | Damage::Doubled { at, count } => (at, at + count),
        Damage::Shorter { to } => (to, usize::MAX),
        Damage::Longer { .. } => (usize::MAX, usize::MAX),
        Damage::Missing => (0, usize::MAX),
    };
    let bytes = &whole.files.iter().find(|file| file.0 == path).unwrap().1;
    let (mut position, mut touched) = (0, BTreeSet::new());
    while position < bytes.len() {
        let header = BatchHeader::parse_prefix(&bytes[position..]).unwrap();
        let end = position + header.total_length().unwrap();
        if from < end && position < to {
            touched.insert(header.base_offset);
        }
        position = end;
    }
    touched
}

/// Opens the log and reads all of it: every record's batch is one that was sent, and those that the
/// damage did not touch are all there.
pub fn serves_what_is_good(bench: &mut Bench, whole: &Whole, lost: &BTreeSet<i64>, why: &str) {
    let id = bench.open_log(1, "t", &config());
    let offsets = bench.store().offsets(id);
    let sent = |base: i64| {
        let base_of = |batch: &&Vec<u8>| batch[..8] == base.to_be_bytes();
        whole.batches.iter().find(base_of)
    };
    let (mut offset, mut served) = (offsets.start, BTreeSet::new());
    while offset < offsets.end {
        let options = ReadOptions {
            offset,
            max_bytes: 1,
            at_least_one: true,
            committed: false,
        };
        let bytes = bench.read(id, options);
        let bytes = bytes.unwrap_or_else(|error| panic!("{why}: offset {offset}: {error:?}"));
        let header = BatchHeader::parse_prefix(&bytes).unwrap();
        assert!(header.checksum_holds(&bytes), "{why}: offset {offset}");
        assert!(header.last_offset() >= offset, "{why}: offset {offset}");
        if header.count > 0 {
            assert_eq!(Some(&bytes), sent(header.base_offset), "{why}: {offset}");
            served.insert(header.base_offset);
        }
        offset = header.last_offset() + 1;
    }
    for batch in &whole.batches {
        let base = BatchHeader::parse_prefix(batch).unwrap().base_offset;
        assert!(
            served.contains(&base) || lost.contains(&base),
            "{why}: offset {base} is good and not served"
        );
    }
    // No offset that was given away is given again.
    let last = BatchHeader::parse_prefix(whole.batches.last().unwrap()).unwrap();
    let next = bench.append_all(id, &batch(1, 100, 9_000, None));
    assert!(next.base_offset > last.last_offset(), "{why}");
    bench.store().remove_log(id);
}

#[test]
fn whatever_was_damaged_is_mended_and_the_rest_is_served() {
    let whole = whole();
    let mut bench = Bench::new(4 << 20, 1);
    let kinds = [
        "log",
        "log",
        "log",
        "index",
        "timeindex",
        "producers",
        "snapshot",
    ];
    for case in 0..CASES {
        let mut random = Random::new(case);
        bench.crash();
        bench.files.restore(&whole.files);
        let mut lost = BTreeSet::new();
        let mut why = format!("case {case}");
        for _ in 0..1 + random.below(3) {
            let kind = kinds[random.below(kinds.len() as u64) as usize];
            let targets = bench.files.contents();
            let targets: Vec<_> = targets
                .iter()
                .filter(|file| file.0.extension().is_some_and(|e| e == kind))
                .filter(|file| !file.1.is_empty())
                .collect();
            let Some((path, bytes)) = targets.get(random.below(9) as usize % targets.len().max(1))
            else {
                continue;
            };
            // A file that was damaged before is not what its batches are counted by.
            if whole
                .files
                .iter()
                .all(|file| file != &(path.clone(), bytes.clone()))
            {
                continue;
            }
            let damage = Damage::choose(&mut random, bytes.len());
            damage.apply(&bench.files, path, &mut random);
            why.push_str(&format!(", {damage:?} of {}", path.display()));
            if kind == "log" {
                lost.extend(touched(&whole, path, &damage));
            }
        }
        let before = bench.files.contents();
        let planned = plan(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
        assert_eq!(
            bench.files.contents(),
            before,
            "{why}: a plan changes nothing"
        );
        let repaired = repair(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
        assert!(repaired.failed.is_empty(), "{why}: {:?}", repaired.failed);
        assert!(repaired.done.starts_with(&planned.steps), "{why}");
        let (outcome, findings) = look(&bench.files);
        assert_eq!(outcome.damages, 0, "{why}: {findings:?}");
        bench.start(case);
        serves_what_is_good(&mut bench, &whole, &lost, &why);
    }
}

#[test]
fn bad_bytes_are_kept_where_they_can_be_looked_at() {
    let whole = whole();
    let bench = Bench::new(4 << 20, 1);
    bench.files.restore(&whole.files);
    let log = Path::new(DATA).join("t-0/00000000000000000000.log");
    bench.files.corrupt(&log, |bytes| bytes[100] ^= 4);
    let bytes = &bench.files.contents();
    let bytes = &bytes.iter().find(|file| file.0 == log).unwrap().1;
    let first = BatchHeader::parse_prefix(bytes).unwrap();
    let length = first.total_length().unwrap();
    let bad = bytes[..length].to_vec();
    let repaired = repair(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
    assert!(matches!(&repaired.done[..], [Step::Mend { base: 0, .. }]));
    let name = format!("quarantine/t-0/00000000000000000000.log.0-{length}");
    let kept = bench.files.contents();
    let kept = kept
        .iter()
        .find(|file| file.0 == Path::new(DATA).join(&name));
    assert_eq!(kept.map(|file| &file.1), Some(&bad), "{name}");
    // The quarantine is no foreign place, and nothing is left to do.
    let (outcome, findings) = look(&bench.files);
    assert_eq!((outcome.damages, outcome.notes), (0, 0), "{findings:?}");
    let again = repair(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
    assert_eq!(again.done, []);
}

#[test]
fn checkpoints_that_make_no_sense_are_begun_anew() {
    let whole = whole();
    let mut bench = Bench::new(4 << 20, 1);
    for name in [
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "t-0/leader-epoch-checkpoint",
    ] {
        bench.crash();
        bench.files.restore(&whole.files);
        bench
            .files
            .corrupt(&Path::new(DATA).join(name), |bytes| bytes.truncate(1));
        let repaired = repair(&bench.files, Path::new(DATA), &mut Findings::default()).unwrap();
        assert_eq!(
            (repaired.done.len(), repaired.failed.len()),
            (1, 0),
            "{name}"
        );
        let (outcome, findings) = look(&bench.files);
        assert_eq!(outcome.damages, 0, "{name}: {findings:?}");
        bench.start(1);
        serves_what_is_good(&mut bench, &whole, &BTreeSet::new(), name);
    }
}
