//! Extents that are lent to be written, and what becomes of what was written there.

use crate::follow::{SEALED, peek, words};
use crate::support::{Bench, batch, stored};
use precursor_model::{CompressionType, ErrorCode, FlushPolicy, LogConfig, LogUid};
use precursor_protocol::records::BatchHeader;
use precursor_shm::{ExtentOwner, ExtentState};
use precursor_storage::{AppendError, AppendOptions, Appended, Blank, LogId, Standing, Written};

const LONG: usize = 300_000;

fn bench(seed: u64) -> (Bench, LogId) {
    bench_with(seed, &LogConfig::default())
}

fn bench_with(seed: u64, config: &LogConfig) -> (Bench, LogId) {
    let mut bench = Bench::new(16 << 20, seed);
    let log = bench.open_log(1, "written", config);
    (bench, log)
}

fn lend(bench: &mut Bench, log: LogId, bytes: usize) -> Blank {
    bench.lend_blank(log, bytes).expect("there is memory")
}

fn in_place(written: Written) -> Appended {
    match written {
        Written::Done(appended) => appended.expect("it is sound"),
        Written::Elsewhere(_) => panic!("the log goes on there"),
    }
}

fn refused(written: Written) -> AppendError {
    match written {
        Written::Done(appended) => appended.unwrap_err(),
        Written::Elsewhere(_) => panic!("it is refused"),
    }
}

/// Lends, writes and appends; adds what the log has of it then.
fn append(bench: &mut Bench, log: LogId, sent: &[u8], expected: &mut Vec<u8>) {
    let end = bench.store().offsets(log).end;
    let blank = lend(bench, log, sent.len());
    let appended = in_place(bench.append_blank(blank, sent));
    assert_eq!(
        (appended.base_offset, appended.bytes as usize),
        (end, sent.len())
    );
    expected.extend(stored(sent, end));
}

/// The same by an ordinary append.
fn copy(bench: &mut Bench, log: LogId, sent: &[u8], expected: &mut Vec<u8>) {
    let end = bench.append_all(log, sent).base_offset;
    expected.extend(stored(sent, end));
}

fn must_hold(bench: &mut Bench, log: LogId, expected: &[u8]) {
    let (mut held, mut offset) = (Vec::new(), 0);
    while offset < bench.store().offsets(log).end {
        let bytes = bench.read_from(log, offset, 64 << 20);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest.first_chunk().unwrap());
            offset = header.last_offset() + 1;
            rest = &rest[header.total_length().unwrap()..];
        }
        held.extend(bytes);
    }
    assert_eq!(held.len(), expected.len());
    assert!(held == expected, "other bytes");
}

/// On the disk, the last block as well.
fn must_be_written(bench: &mut Bench, log: LogId, expected: &[u8]) {
    let end = bench.store().offsets(log).end;
    bench.pass(2_000);
    bench.poll_until(|store| store.offsets(log).durable == end);
    bench.shutdown();
    bench.forget_region();
    bench.start(99);
    let log = bench.open_log(1, "written", &LogConfig::default());
    must_hold(bench, log, expected);
}

fn interval() -> LogConfig {
    LogConfig {
        flush_policy: FlushPolicy::Interval,
        flush_interval_ms: 20,
        ..LogConfig::default()
    }
}

/// From every place within a block: what was there before, and what comes after, stay.
#[test]
fn what_is_written_becomes_the_logs_tail_as_it_lies() {
    let (mut bench, log) = bench_with(1, &interval());
    let mut expected = Vec::new();
    for round in 0..8 {
        for n in 0..round {
            copy(
                &mut bench,
                log,
                &batch(1, 700 * n + 100, 5, None),
                &mut expected,
            );
        }
        append(
            &mut bench,
            log,
            &batch(3, LONG, round as i64, None),
            &mut expected,
        );
        must_hold(&mut bench, log, &expected);
    }
    append(&mut bench, log, &batch(1, 50_000, 7, None), &mut expected);
    must_hold(&mut bench, log, &expected);
    must_be_written(&mut bench, log, &expected);
}

/// The very memory that was written is what a reader of the tail sees: nothing was copied.
#[test]
fn nothing_is_copied() {
    let (mut bench, log) = bench(2);
    bench.append(log, &batch(1, 5_000, 1, None)).unwrap();
    let sent = batch(1, LONG, 2, None);
    let blank = lend(&mut bench, log, sent.len());
    let address = blank.address;
    in_place(bench.append_blank(blank, &sent));
    let followed = bench.store().follow(log, 1, None).unwrap().unwrap();
    assert_eq!(followed.address + followed.begin as usize, address);
    bench.store().unfollow(followed);
}

/// Whoever reads the extent before from afar reads on in the one that goes on from within it.
#[test]
fn a_follower_goes_on_behind_it() {
    let (mut bench, log) = bench(3);
    for n in 0..3 {
        bench.append(log, &batch(1, 3_000, n + 1, None)).unwrap();
    }
    let first = bench.store().follow(log, 0, None).unwrap().unwrap();
    let (committed, _, _) = words(&first);
    let before = peek(first.address, first.bytes as usize);
    let mut expected = Vec::new();
    append(&mut bench, log, &batch(1, LONG, 9, None), &mut expected);
    // What was published stays, and nothing is added.
    let (after, state, _) = words(&first);
    assert_eq!((after, state), (committed, SEALED));
    let store = bench.store();
    assert_eq!(store.standing(&first), Standing::Passed);
    let end =
        first.position + bench.read_from(log, 0, 1 << 20).len() as u64 - expected.len() as u64;
    let next = bench
        .store()
        .follow(log, 3, Some((0, end)))
        .unwrap()
        .unwrap();
    assert!(next.position < end && end - next.position == u64::from(next.begin));
    // Asked for anew, the one before is as long as it was, and holds what it held.
    let again = bench.store().follow(log, 0, None).unwrap().unwrap();
    assert_eq!((again.address, again.bytes), (first.address, first.bytes));
    assert!(peek(again.address, again.bytes as usize) == before);
    for held in [first, next, again] {
        bench.store().unfollow(held);
    }
    let all = bench.read_from(log, 0, 1 << 20);
    assert!(all.ends_with(&expected));
}

/// The extent before is let go of, for it held nothing but a part of the block: what was in it is read
/// from the one that goes on there, and from memory.
#[test]
fn batches_before_it_in_its_block_are_read_from_it() {
    let (mut bench, log) = bench(14);
    let mut expected = Vec::new();
    for n in 0..3 {
        copy(&mut bench, log, &batch(1, 500, n, None), &mut expected);
    }
    append(&mut bench, log, &batch(1, LONG, 9, None), &mut expected);
    let used = bench.store().pool_use().bytes_in_use;
    assert_eq!(used, 512 << 10, "one extent");
    for offset in 0..4 {
        let held = bench.read_from(log, offset, 1 << 20);
        assert!(!held.is_empty() && expected.ends_with(&held));
    }
    assert_eq!(bench.store().stats().reads_cold, 0);
}

/// Also to who reads it from afar only then.
#[test]
fn an_extent_that_ends_early_shows_all_that_it_published() {
    let (mut bench, log) = bench(13);
    let mut expected = Vec::new();
    for n in 0..3 {
        copy(&mut bench, log, &batch(1, 3_000, n, None), &mut expected);
    }
    let published = expected.clone();
    append(&mut bench, log, &batch(1, LONG, 9, None), &mut expected);
    let followed = bench.store().follow(log, 0, None).unwrap().unwrap();
    let (committed, state, _) = words(&followed);
    assert_eq!((committed as usize, state), (published.len(), SEALED));
    let bytes = peek(followed.address, followed.bytes as usize);
    assert!(bytes[..published.len()] == published, "all of it");
    assert!(bytes[published.len()..].iter().all(|byte| *byte == 0));
    bench.store().unfollow(followed);
}

#[test]
fn where_the_log_went_on_meanwhile_it_is_appended_elsewhere() {
    let (mut bench, log) = bench(4);
    let sent = batch(1, LONG, 1, None);
    let before = bench.store().pool_use().bytes_in_use;
    let blank = lend(&mut bench, log, sent.len());
    let mut expected = Vec::new();
    copy(&mut bench, log, &batch(1, 500, 2, None), &mut expected);
    let Written::Elsewhere(blank) = bench.append_blank(blank, &sent) else {
        panic!("it does not fit there");
    };
    assert!(
        bench.store().blank_bytes(&blank, sent.len() as u32) == sent,
        "as it was sent"
    );
    bench.store().return_blank(blank);
    assert_eq!(bench.store().pool_use().bytes_in_use, before + (16 << 10));
    // By whole blocks, it fits again.
    let blank = lend(&mut bench, log, sent.len());
    copy(&mut bench, log, &of_bytes(4096), &mut expected);
    in_place(bench.append_blank(blank, &sent));
    expected.extend(stored(&sent, 2));
    must_hold(&mut bench, log, &expected);
}

#[test]
fn a_segment_that_is_full_ends_and_a_codec_that_is_wanted_is_kept() {
    let config = LogConfig {
        segment_bytes: 500_000,
        ..LogConfig::default()
    };
    let (mut bench, log) = bench_with(5, &config);
    let sent = batch(1, LONG, 1, None);
    let mut expected = Vec::new();
    append(&mut bench, log, &sent, &mut expected);
    let blank = lend(&mut bench, log, sent.len());
    assert!(matches!(
        bench.append_blank(blank, &sent),
        Written::Elsewhere(_)
    ));
    let config = LogConfig {
        compression_type: CompressionType::Zstd,
        ..LogConfig::default()
    };
    let (mut bench, log) = bench_with(6, &config);
    let blank = lend(&mut bench, log, sent.len());
    assert!(matches!(
        bench.append_blank(blank, &sent),
        Written::Elsewhere(_)
    ));
}

#[test]
fn what_is_not_sound_is_refused_and_its_memory_is_free() {
    let (mut bench, log) = bench(7);
    bench.append(log, &batch(1, 100, 1, None)).unwrap();
    let before = bench.store().pool_use().bytes_in_use;
    let sent = batch(3, LONG, 1, Some((9, 0, 0)));
    let mut torn = sent.clone();
    torn[LONG / 2] ^= 1;
    let blank = lend(&mut bench, log, sent.len());
    assert_eq!(
        refused(bench.append_blank(blank, &torn)),
        AppendError::Corrupt
    );
    // Fewer bytes than the batch, more than was lent, none.
    for length in [sent.len() - 1, sent.len() + 1, 60, 0, u32::MAX as usize] {
        let blank = lend(&mut bench, log, sent.len());
        let options = AppendOptions::at(bench.now);
        let written = bench.store().append_blank(blank, length as u32, options);
        refused(written);
    }
    // A sound one that is longer than what was lent, in memory of the same extent.
    let longer = batch(1, sent.len() + 1_000, 1, None);
    let blank = lend(&mut bench, log, sent.len());
    assert!(longer.len() < blank.extent_bytes as usize - 4096);
    assert_eq!(
        refused(bench.append_blank(blank, &longer)),
        AppendError::Corrupt
    );
    let mut offset = sent.clone();
    offset[7] = 5;
    let blank = lend(&mut bench, log, sent.len());
    refused(bench.append_blank(blank, &offset));
    assert_eq!(bench.store().pool_use().bytes_in_use, before);
    assert_eq!(bench.store().offsets(log).end, 1);
    // Twice the same: the second is known.
    let mut expected = Vec::new();
    append(&mut bench, log, &sent, &mut expected);
    let before = bench.store().pool_use().bytes_in_use;
    let blank = lend(&mut bench, log, sent.len());
    let again = in_place(bench.append_blank(blank, &sent));
    assert!(again.duplicate && again.base_offset == 1);
    let blank = lend(&mut bench, log, sent.len());
    let missed = batch(1, LONG, 1, Some((9, 0, 7)));
    assert_eq!(
        refused(bench.append_blank(blank, &missed)),
        AppendError::OutOfOrderSequence
    );
    assert_eq!(bench.store().pool_use().bytes_in_use, before);
}

#[test]
fn a_blank_of_another_leader_or_of_a_log_that_is_gone_is_worth_nothing() {
    let (mut bench, log) = bench(8);
    let sent = batch(1, LONG, 1, None);
    let blank = lend(&mut bench, log, sent.len());
    assert!(bench.store().blank_stands(&blank));
    bench.store().set_leader_epoch(log, 4);
    assert!(!bench.store().blank_stands(&blank));
    let error = refused(bench.append_blank(blank, &sent));
    assert_eq!(
        error,
        AppendError::NotOnline(ErrorCode::NotLeaderOrFollower)
    );
    let blank = lend(&mut bench, log, sent.len());
    bench.store().remove_log(log);
    assert!(!bench.store().blank_stands(&blank));
    let error = refused(bench.append_blank(blank, &sent));
    assert_eq!(
        error,
        AppendError::NotOnline(ErrorCode::UnknownTopicOrPartition)
    );
    bench.poll_until(|store| store.pool_use().bytes_in_use == 0);
}

/// What was acknowledged is there after everything died, from memory alone; what was only lent is not.
#[test]
fn after_a_crash_what_was_taken_is_there_and_what_was_lent_is_nobodys() {
    let (mut bench, log) = bench(9);
    let mut expected = Vec::new();
    for n in 0..3 {
        copy(&mut bench, log, &batch(2, 2_000, n, None), &mut expected);
        append(&mut bench, log, &batch(1, LONG, n, None), &mut expected);
    }
    copy(&mut bench, log, &batch(1, 10, 1, None), &mut expected);
    let sent = batch(1, LONG, 4, None);
    let blank = lend(&mut bench, log, sent.len());
    crate::support::poke(blank.address, &stored(&sent, 10));
    bench.crash();
    bench.start(10);
    let log = bench.open_log(1, "written", &LogConfig::default());
    assert_eq!(bench.store().offsets(log).end, 10);
    must_hold(&mut bench, log, &expected);
    // In the block that recovery has left, without an extent.
    append(&mut bench, log, &batch(1, LONG, 5, None), &mut expected);
    must_hold(&mut bench, log, &expected);
    bench.crash();
    bench.start(11);
    let log = bench.open_log(1, "written", &LogConfig::default());
    must_hold(&mut bench, log, &expected);
}

/// Puts back what a crash finds between the store that publishes a blank and what comes after it: the
/// extent that it goes on from is open, or there yet, with all that it had published.
fn as_before_it_was_let_go_of(bench: &mut Bench, published: &[u8]) {
    let mut pool = bench.pool();
    let found = pool.recovered();
    if let Some(forerunner) = found
        .iter()
        .find(|extent| extent.file_position == 0 && extent.committed < LONG as u64)
    {
        assert_eq!(
            (forerunner.committed as usize, forerunner.state),
            (published.len(), ExtentState::Sealed)
        );
        return pool.set_state(forerunner.id, ExtentState::Open);
    }
    let owner = ExtentOwner {
        log: LogUid(1),
        segment_base: 0,
        file_position: 0,
    };
    let forerunner = (0..1_000).find_map(|_| {
        let lent = pool.allocate(16 << 10, owner);
        if lent.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        lent
    });
    let forerunner = forerunner.expect("there is memory");
    pool.bytes_mut(forerunner)[..published.len()].copy_from_slice(published);
    pool.publish(forerunner, published.len() as u64);
}

/// Then both are found: what they both hold is there once, and what only one does is there as well.
#[test]
fn a_crash_before_what_it_stands_for_is_let_go_of_finds_both() {
    // Within the first block; in the second; where one begins.
    for (seed, before) in [(20, [500, 700]), (21, [3_000, 2_000]), (22, [2_000, 2_096])] {
        let (mut bench, log) = bench(seed);
        let mut expected = Vec::new();
        for bytes in before {
            copy(&mut bench, log, &of_bytes(bytes), &mut expected);
        }
        let published = expected.clone();
        append(&mut bench, log, &batch(2, LONG, 9, None), &mut expected);
        let end = bench.store().offsets(log).end;
        bench.crash();
        as_before_it_was_let_go_of(&mut bench, &published);
        bench.start(seed);
        let log = bench.open_log(1, "written", &interval());
        assert_eq!(bench.store().offsets(log).end, end);
        must_hold(&mut bench, log, &expected);
        copy(&mut bench, log, &batch(1, 900, 5, None), &mut expected);
        append(&mut bench, log, &batch(1, LONG, 6, None), &mut expected);
        must_be_written(&mut bench, log, &expected);
    }
}

/// A batch of one record that is so long.
fn of_bytes(bytes: usize) -> Vec<u8> {
    let mut sizes = (1..=bytes).rev().map(|n| batch(1, n, 3, None));
    sizes
        .find(|batch| batch.len() == bytes)
        .expect("there is one")
}

/// What cannot be is not lent: more than an extent, or where memory has none.
#[test]
fn lending_has_bounds() {
    let (mut bench, log) = bench(12);
    for bytes in [0, 60, (2 << 20) + 1, u32::MAX as usize] {
        assert!(bench.lend_blank(log, bytes).is_none(), "{bytes}");
    }
    let whole = lend(&mut bench, log, 2 << 20);
    bench.store().return_blank(whole);
    bench.append(log, &batch(1, 10, 1, None)).unwrap();
    assert!(
        bench.lend_blank(log, 2 << 20).is_none(),
        "behind a part of a block"
    );
    let mut lent = Vec::new();
    while let Some(blank) = bench.lend_blank(log, 1 << 20) {
        lent.push(blank);
        assert!(lent.len() < 16);
    }
    assert!(lent.len() > 4);
    for blank in lent {
        bench.store().return_blank(blank);
    }
    bench.poll_until(|store| store.pool_use().bytes_in_use == 16 << 10);
}
