//! Extents that are read from afar: where they lie, what their words say, and for how long.

use crate::support::{Bench, batch, stored};
use precursor_model::{FlushPolicy, LogConfig};
use precursor_storage::{Followed, LogId, ReadError, Standing};
use std::fs::File;
use std::os::unix::fs::FileExt;

const OPEN: u32 = 1;
pub const SEALED: u32 = 2;
const NOBODYS: u32 = 0;

/// Memory of this process as the kernel reads it: the store is not asked.
pub fn peek(address: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let memory = File::open("/proc/self/mem").unwrap();
    memory.read_exact_at(&mut bytes, address as u64).unwrap();
    bytes
}

/// What a reader sees of an extent: committed, state, generation.
pub fn words(followed: &Followed) -> (u64, u32, u32) {
    let bytes = peek(followed.words, 16);
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let committed = u64::from(word(0)) | u64::from(word(4)) << 32;
    (committed, word(8), word(12))
}

fn bytes(followed: &Followed, from: u32, to: u64) -> Vec<u8> {
    assert!(to <= u64::from(followed.bytes));
    peek(
        followed.address + from as usize,
        to as usize - from as usize,
    )
}

fn follow(bench: &mut Bench, log: LogId, offset: i64) -> Followed {
    let followed = bench.store().follow(log, offset, None).unwrap();
    followed.expect("it is in memory")
}

/// The bytes of a log, read as a client does that goes from extent to extent by place.
fn read_all(bench: &mut Bench, log: LogId, offset: i64) -> Vec<u8> {
    let mut followed = follow(bench, log, offset);
    let mut all = bytes(&followed, followed.begin, words(&followed).0);
    while words(&followed).1 != OPEN {
        let next = (
            followed.segment_base,
            followed.position + u64::from(followed.bytes),
        );
        let store = bench.store();
        store.unfollow(followed);
        match store.follow(log, offset, Some(next)).unwrap() {
            Some(found) => followed = found,
            None => return all,
        }
        assert_eq!(followed.begin, 0);
        all.extend(bytes(&followed, 0, words(&followed).0));
    }
    bench.store().unfollow(followed);
    all
}

#[test]
fn what_is_published_is_read_where_it_lies() {
    let mut bench = Bench::new(8 << 20, 1);
    let log = bench.open_log(1, "followed", &LogConfig::default());
    assert!(
        bench.store().follow(log, 0, None).unwrap().is_none(),
        "nothing yet"
    );
    let first = batch(3, 1_000, 1, None);
    bench.append(log, &first).unwrap();
    let followed = follow(&mut bench, log, 0);
    let (committed, state, generation) = words(&followed);
    assert_eq!((committed, state), (first.len() as u64, OPEN));
    assert_eq!((generation, followed.begin), (followed.generation, 0));
    assert_eq!(bytes(&followed, 0, committed), stored(&first, 0));
    // The store is not asked again.
    let second = batch(1, 500, 2, None);
    bench.append(log, &second).unwrap();
    let (more, _, _) = words(&followed);
    assert_eq!(bytes(&followed, committed as u32, more), stored(&second, 3));
    // From within, from the end, and from where nothing is.
    let within = follow(&mut bench, log, 3);
    assert_eq!(u64::from(within.begin), committed);
    let end = follow(&mut bench, log, 4);
    assert_eq!(u64::from(end.begin), more);
    let store = bench.store();
    assert_eq!(
        store.follow(log, 5, None).unwrap_err(),
        ReadError::OffsetOutOfRange
    );
    assert!(store.follow(log, 4, Some((0, 1 << 30))).unwrap().is_none());
    assert!(
        store.follow(log, 4, Some((0, more + 1))).unwrap().is_none(),
        "not there yet"
    );
    assert!(store.follow(log, 4, Some((7, 0))).unwrap().is_none());
    for held in [followed, within, end] {
        assert_eq!(store.standing(&held), Standing::Last);
        store.unfollow(held);
    }
}

#[test]
fn batches_across_extents_come_whole_by_place() {
    let mut bench = Bench::new(8 << 20, 2);
    let log = bench.open_log(1, "followed", &LogConfig::default());
    let mut expected = Vec::new();
    for n in 0..40 {
        let bytes = batch(1, 5_000 + n * 37, n as i64, None);
        bench.append(log, &bytes).unwrap();
        expected.extend(stored(&bytes, n as i64));
    }
    let all = read_all(&mut bench, log, 0);
    assert_eq!(all.len(), expected.len());
    assert!(all == expected, "other bytes");
    let later = read_all(&mut bench, log, 20);
    assert!(expected.ends_with(&later) && later.len() < expected.len());
}

/// Memory that was lent before holds bytes of others: who may read an extent sees none of them.
#[test]
fn behind_what_is_published_nothing_is_seen() {
    let mut bench = Bench::new(2 << 20, 3);
    let config = LogConfig::default();
    let other = bench.open_log(1, "other", &config);
    for n in 0..60 {
        bench.append_all(other, &batch(1, 30_000, n + 1, None));
    }
    bench.store().remove_log(other);
    bench.poll_until(|store| store.pool_use().bytes_in_use == 0);
    let log = bench.open_log(2, "followed", &config);
    bench.append(log, &batch(1, 100, 7, None)).unwrap();
    let followed = follow(&mut bench, log, 0);
    let (committed, _, _) = words(&followed);
    let behind = bytes(&followed, committed as u32, u64::from(followed.bytes));
    assert!(behind.len() > 10_000 && behind.iter().all(|byte| *byte == 0));
    bench.store().unfollow(followed);
}

#[test]
fn what_the_log_lets_go_of_stays_for_its_reader_and_says_so() {
    let mut bench = Bench::new(8 << 20, 4);
    let log = bench.open_log(1, "followed", &LogConfig::default());
    let sent = batch(2, 1_000, 1, None);
    bench.append(log, &sent).unwrap();
    let followed = follow(&mut bench, log, 0);
    bench.store().remove_log(log);
    assert_eq!(bench.store().standing(&followed), Standing::Gone);
    let (committed, state, _) = words(&followed);
    assert_eq!(state, NOBODYS, "a reader learns that nothing comes");
    assert_eq!(bytes(&followed, 0, committed), stored(&sent, 0));
    // Others write meanwhile, and not there.
    let other = bench.open_log(2, "other", &LogConfig::default());
    for n in 0..100 {
        bench.append_all(other, &batch(1, 30_000, n + 100, None));
    }
    assert_eq!(bytes(&followed, 0, committed), stored(&sent, 0));
    let before = bench.store().pool_use().bytes_in_use;
    let size = followed.bytes as usize;
    bench.store().unfollow(followed);
    assert_eq!(bench.store().pool_use().bytes_in_use, before - size);
}

/// After everything was killed, an extent that was only held is nobody's: it says nothing of its log.
#[test]
fn a_successor_does_not_take_what_was_only_held_for_a_logs() {
    let mut bench = Bench::new(8 << 20, 5);
    let kept = bench.open_log(1, "kept", &LogConfig::default());
    let gone = bench.open_log(2, "gone", &LogConfig::default());
    let sent = batch(2, 1_000, 1, None);
    for log in [kept, gone] {
        bench.append(log, &sent).unwrap();
    }
    for log in [kept, gone] {
        // Held until everything dies.
        follow(&mut bench, log, 0);
    }
    bench.store().remove_log(gone);
    bench.crash();
    bench.start(6);
    let kept = bench.open_log(1, "kept", &LogConfig::default());
    assert_eq!(bench.store().offsets(kept).end, 2);
    assert_eq!(bench.read_from(kept, 0, 1 << 20), stored(&sent, 0));
    let gone = bench.open_log(2, "gone", &LogConfig::default());
    assert_eq!(bench.store().offsets(gone).end, 0, "it was removed");
}

#[test]
fn an_extent_that_its_segment_ended_in_says_so() {
    let mut bench = Bench::new(8 << 20, 6);
    let config = LogConfig {
        segment_bytes: 14_000,
        ..LogConfig::default()
    };
    let log = bench.open_log(1, "followed", &config);
    bench.append(log, &batch(1, 9_000, 1, None)).unwrap();
    let followed = follow(&mut bench, log, 1);
    assert_eq!(words(&followed).1, OPEN);
    bench.append(log, &batch(1, 9_000, 2, None)).unwrap();
    let (committed, state, _) = words(&followed);
    assert!(
        committed < u64::from(followed.bytes) && state == SEALED,
        "{state}"
    );
    assert_eq!(bench.store().standing(&followed), Standing::Passed);
    let next = follow(&mut bench, log, 1);
    assert_eq!((next.segment_base, next.position, next.begin), (1, 0, 0));
    for held in [followed, next] {
        bench.store().unfollow(held);
    }
}

/// What a power cut can take back must not have been read by anyone.
#[test]
fn what_is_shown_only_from_disk_is_not_followed() {
    let mut bench = Bench::new(8 << 20, 7);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..LogConfig::default()
    };
    let log = bench.open_log(1, "durable", &config);
    bench.append(log, &batch(1, 1_000, 1, None)).unwrap();
    bench.poll_until(|store| store.offsets(log).high_watermark == 1);
    assert!(bench.store().follow(log, 0, None).unwrap().is_none());
}

/// What was deleted is not to be read on.
#[test]
fn deleted_records_end_what_was_asked_for_before_them() {
    let mut bench = Bench::new(8 << 20, 8);
    let log = bench.open_log(1, "followed", &LogConfig::default());
    for n in 0..4 {
        bench.append(log, &batch(1, 1_000, n + 1, None)).unwrap();
    }
    let (before, after) = (follow(&mut bench, log, 1), follow(&mut bench, log, 3));
    bench.store().delete_records(log, 3).unwrap();
    assert_eq!(bench.store().standing(&before), Standing::Gone);
    assert_eq!(bench.store().standing(&after), Standing::Last);
    for held in [before, after] {
        bench.store().unfollow(held);
    }
}
