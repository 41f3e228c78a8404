//! Damage of what cold segments are read back from: it costs what it touched, and is told.

use crate::cold::{all, config, filled_with, freeze};
use crate::offline::{Damage, Findings, bytes_of, look};
use crate::support::{Bench, DATA};
use precursor_disk::sim::Random;
use precursor_model::ColdCompression;
use precursor_protocol::records::BatchHeader;
use precursor_storage::ReadOptions;
use precursor_storage::offline::repair;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

const CASES: u64 = 150;
const SUMMARY: usize = 64;
const PREFIX: usize = 16;

/// A directory with cold segments, and what it holds.
struct Frozen {
    files: Vec<(PathBuf, Vec<u8>)>,
    batches: Vec<Vec<u8>>,
}

fn frozen(kind: ColdCompression) -> Frozen {
    let mut bench = Bench::new(4 << 20, 1);
    let mut config = config(kind);
    config.segment_bytes = 250_000;
    let (id, batches) = filled_with(&mut bench, &config, 100);
    freeze(&mut bench);
    assert_eq!(all(&mut bench, id), batches.concat());
    bench.shutdown();
    Frozen {
        files: bench.files.contents(),
        batches,
    }
}

impl Frozen {
    fn of_kind(&self, end: &str) -> Vec<&(PathBuf, Vec<u8>)> {
        let is = |file: &&(PathBuf, Vec<u8>)| file.0.to_string_lossy().ends_with(end);
        self.files.iter().filter(is).collect()
    }

    /// The base offsets of batches that lie, in part, in bytes of a segment.
    fn batches_in(&self, base: i64, plain: &Range<usize>) -> BTreeSet<i64> {
        let (mut position, mut touched) = (0, BTreeSet::new());
        for batch in &self.batches {
            let header = BatchHeader::parse_prefix(batch).unwrap();
            if header.base_offset < base {
                continue;
            }
            let end = position + batch.len();
            if position < plain.end && plain.start < end {
                touched.insert(header.base_offset);
            }
            position = end;
        }
        touched
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().unwrap()
}

/// What of a container may be lost when these bytes of it are not what they were: bytes of the
/// segment.
fn lost_plain(container: &[u8], damage: &Damage) -> Vec<Range<usize>> {
    let chunk_bytes = u32::from_le_bytes(number(container, 12)) as usize;
    let plain_bytes = u64::from_le_bytes(number(container, 24)) as usize;
    let index = u64::from_le_bytes(number(container, 40)) as usize;
    let end = container.len();
    let (bad, moved) = match *damage {
        Damage::Flip { at, .. } => (at..at + 1, false),
        Damage::Noise { at, count } | Damage::Zeroes { at, count } => (at..at + count, false),
        Damage::Cut { at, .. } | Damage::Doubled { at, .. } => (at..end, true),
        Damage::Shorter { to } => (to..end, false),
        Damage::Longer { .. } => (end..end, false),
        Damage::Missing => (0..end, false),
    };
    let touches = |range: Range<usize>| bad.start < range.end && range.start < bad.end;
    if touches(0..SUMMARY) && (touches(end - SUMMARY..end) || moved) {
        return std::iter::once(0..plain_bytes).collect();
    }
    let chunks = plain_bytes.div_ceil(chunk_bytes);
    let at = |chunk: usize| match chunk < chunks {
        true => u64::from_le_bytes(number(container, index + 8 * chunk)) as usize,
        false => index,
    };
    // Where the index is no help, a damaged prefix hides what is behind it.
    let index_lost = touches(index..end - SUMMARY);
    let mut hidden = false;
    let mut lost = Vec::new();
    for chunk in 0..chunks {
        let here = at(chunk)..at(chunk + 1);
        if hidden || touches(here.clone()) {
            lost.push(chunk * chunk_bytes..((chunk + 1) * chunk_bytes).min(plain_bytes));
        }
        hidden |= index_lost && touches(here.start..here.start + PREFIX);
    }
    lost
}

/// Reads everything: sound batches as they were, or none; returns those that are missing.
fn served(bench: &mut Bench, frozen: &Frozen, kind: ColdCompression, why: &str) -> BTreeSet<i64> {
    let mut config = config(kind);
    config.segment_bytes = 250_000;
    let id = bench.open_log(1, "t", &config);
    let offsets = bench.store().offsets(id);
    let base_of = |batch: &Vec<u8>| BatchHeader::parse_prefix(batch).unwrap().base_offset;
    let mut missing: BTreeSet<i64> = frozen.batches.iter().map(base_of).collect();
    let mut offset = offsets.start;
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
        if header.count > 0 {
            assert!(frozen.batches.contains(&bytes), "{why}: offset {offset}");
            missing.remove(&header.base_offset);
        }
        offset = header.last_offset() + 1;
    }
    bench.shutdown();
    missing
}

#[test]
fn a_damaged_container_costs_what_was_touched() {
    let kind = ColdCompression::ZstdDict;
    let frozen = frozen(kind);
    let containers = frozen.of_kind(".log.cold");
    let mut bench = Bench::new(4 << 20, 1);
    let mut costly = 0;
    for case in 0..CASES {
        let mut random = Random::new(case);
        let (path, bytes) = containers[random.below(containers.len() as u64) as usize];
        let damage = Damage::choose(&mut random, bytes.len());
        if matches!(damage, Damage::Missing) {
            continue;
        }
        let why = format!("case {case}: {damage:?} of {}", path.display());
        let base = path.file_name().unwrap().to_string_lossy()[..20]
            .parse()
            .unwrap();
        let lost: BTreeSet<i64> = lost_plain(bytes, &damage)
            .iter()
            .flat_map(|plain| frozen.batches_in(base, plain))
            .collect();
        bench.crash();
        bench.files.restore(&frozen.files);
        damage.apply(&bench.files, path, &mut random);
        let is_changed = bytes_of(&bench.files, path) != *bytes;
        let (outcome, findings) = look(&bench.files);
        assert_eq!(outcome.damages > 0, is_changed, "{why}: {findings:?}");
        if random.once_in(2) {
            let mut watch = Findings::default();
            let repaired = repair(&bench.files, Path::new(DATA), &mut watch).unwrap();
            assert!(repaired.failed.is_empty(), "{why}: {:?}", repaired.failed);
            let (outcome, findings) = look(&bench.files);
            assert_eq!(outcome.damages, 0, "{why}: {findings:?}");
        }
        bench.start(case);
        let missing = served(&mut bench, &frozen, kind, &why);
        costly += usize::from(!missing.is_empty());
        assert!(
            missing.is_subset(&lost),
            "{why}: lost {missing:?}, touched {lost:?}"
        );
        // What was taken out lies in quarantine in the form in which it was.
        if !missing.is_empty() {
            let place = Path::new(DATA).join("quarantine/t-0");
            let name = path.file_name().unwrap();
            let kept = bytes_of(&bench.files, &place.join(name));
            assert!(kept != *bytes || !is_changed, "{why}");
        }
    }
    assert!(costly > 20, "{costly} cases cost anything");
}

#[test]
fn a_damaged_dictionary_costs_its_segments_and_no_other() {
    let kind = ColdCompression::ZstdDict;
    let frozen = frozen(kind);
    let dictionaries = frozen.of_kind(".dict");
    let containers = frozen.of_kind(".log.cold");
    let last = frozen.of_kind(".log");
    let last: i64 = last[0]
        .0
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .parse()
        .unwrap();
    let (path, bytes) = dictionaries[0];
    let mut bench = Bench::new(4 << 20, 1);
    for case in 0..40 {
        let mut random = Random::new(case);
        let damage = Damage::choose(&mut random, bytes.len());
        let why = format!("case {case}: {damage:?}");
        bench.crash();
        bench.files.restore(&frozen.files);
        damage.apply(&bench.files, path, &mut random);
        let is_missing = matches!(damage, Damage::Missing);
        if !is_missing && bytes_of(&bench.files, path) == *bytes {
            continue;
        }
        let (_, findings) = look(&bench.files);
        let told = findings.iter().filter(|f| f.kind == "dictionary").count();
        assert_eq!(told, containers.len(), "{why}: {findings:?}");
        bench.start(case);
        let missing = served(&mut bench, &frozen, kind, &why);
        assert!(missing.iter().all(|base| *base < last), "{why}");
        let stored = |base: &i64| *base >= last;
        assert!(!missing.iter().any(stored), "{why}");
        // Not one container is lost.
        for (path, bytes) in &containers {
            let place = Path::new(DATA).join("quarantine/t-0");
            let kept = place.join(path.file_name().unwrap());
            assert_eq!(bytes_of(&bench.files, &kept), *bytes, "{why}");
        }
    }
}

#[test]
fn a_container_of_a_later_version_is_refused_and_kept() {
    let kind = ColdCompression::Zstd;
    let frozen = frozen(kind);
    let (path, _) = frozen.of_kind(".log.cold")[0];
    let mut bench = Bench::new(4 << 20, 1);
    bench.crash();
    bench.files.restore(&frozen.files);
    bench.files.corrupt(path, |bytes| {
        let end = bytes.len();
        for at in [0, end - SUMMARY] {
            bytes[at + 8] = 3;
            let crc = precursor_memory::crc32c(&bytes[at..at + 60]);
            bytes[at + 60..at + SUMMARY].copy_from_slice(&crc.to_le_bytes());
        }
    });
    let before = bytes_of(&bench.files, path);
    bench.start(1);
    let id = bench.ensure(1, "t", &config(kind));
    bench.poll_until(|store| store.state(id) != precursor_storage::LogState::Opening);
    let code = precursor_model::ErrorCode::KafkaStorageError;
    assert_eq!(
        bench.store().state(id),
        precursor_storage::LogState::Offline(code)
    );
    assert_eq!(bytes_of(&bench.files, path), before);
}
