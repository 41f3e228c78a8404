//! What each flush policy promises, under power loss.

use crate::support::{Bench, batch};
use precursor_disk::sim::Random;
use precursor_model::{FlushPolicy, LogConfig};

const POOL: u64 = 8 << 20;
const INTERVAL_MS: u64 = 500;

fn interval() -> LogConfig {
    LogConfig {
        flush_policy: FlushPolicy::Interval,
        flush_interval_ms: INTERVAL_MS as i64,
        segment_bytes: 64 * 1024,
        ..LogConfig::default()
    }
}

/// `interval`: what is older than the interval (and the time that its write and sync take) is there.
/// Several logs and segments, so that a sync that forgets an earlier segment is found out.
#[test]
fn the_interval_policy_syncs_what_is_older_than_its_interval() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut bench = Bench::new(POOL, seed);
        let logs: Vec<_> = (1..4)
            .map(|uid| bench.open_log(uid, &format!("t{uid}"), &interval()))
            .collect();
        let mut ends = vec![0; logs.len()];
        for _ in 0..random.below(60) + 1 {
            let at = random.below(logs.len() as u64) as usize;
            let appended = bench.append_all(logs[at], &batch(3, 5000, 1, None));
            assert_eq!(
                appended.must_be_durable_to, None,
                "the answer does not wait"
            );
            ends[at] = appended.last_offset + 1;
            bench.pass(random.below(40));
            bench.poll();
        }
        // The interval, then time for the writes and the sync after it.
        bench.pass(INTERVAL_MS);
        for _ in 0..2_000 {
            bench.poll();
        }
        // What comes later is promised nothing.
        bench.append_all(logs[0], &batch(1, 100, 1, None));
        bench.lose_power(&mut random);
        bench.start(seed);
        for (uid, end) in (1..4).zip(&ends) {
            let id = bench.open_log(uid, &format!("t{uid}"), &interval());
            let found = bench.store().offsets(id).end;
            assert!(
                found >= *end,
                "seed {seed}: log {uid} reached {end}, found {found}"
            );
        }
    }
}

/// `precursor.flush.bytes`: no more than that, and what came while it was written, waits for the
/// interval.
#[test]
fn the_interval_policy_syncs_early_when_much_comes() {
    for seed in 0..10 {
        let mut random = Random::new(seed);
        let mut bench = Bench::new(POOL, seed);
        let config = LogConfig {
            flush_interval_ms: 3_600_000,
            flush_bytes: 100_000,
            // A roll would sync.
            segment_bytes: 1 << 20,
            ..interval()
        };
        let id = bench.open_log(1, "t", &config);
        // The first sync's time has always come.
        bench.append_all(id, &batch(1, 5000, 1, None));
        for _ in 0..2_000 {
            bench.poll();
        }
        let first = bench.store().offsets(id).durable;
        let mut sent = 0;
        while bench.store().offsets(id).durable == first {
            bench.append_all(id, &batch(1, 5000, 1, None));
            sent += 1;
            assert!(sent <= 30, "seed {seed}: nothing is synced");
            for _ in 0..200 {
                bench.poll();
            }
        }
        assert!(sent > 15, "seed {seed}: synced after {sent} of 5,000 bytes");
        let durable = bench.store().offsets(id).durable;
        bench.lose_power(&mut random);
        bench.start(seed);
        let id = bench.open_log(1, "t", &config);
        let found = bench.store().offsets(id).end;
        assert!(
            found >= durable,
            "seed {seed}: {durable} promised, {found} found"
        );
    }
}

/// `every-write`: a retry that is recognised as a duplicate promises what its first copy did, so its
/// answer waits for the disk too.
#[test]
fn a_duplicate_is_answered_only_when_its_first_copy_is_durable() {
    let mut bench = Bench::new(POOL, 3);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..interval()
    };
    let id = bench.open_log(1, "t", &config);
    let sent = batch(3, 100, 1, Some((7, 0, 0)));
    let first = bench.append_all(id, &sent);
    let again = bench.append_all(id, &sent);
    assert!(again.duplicate && !first.duplicate);
    assert_eq!(again.base_offset, first.base_offset);
    assert_eq!(again.must_be_durable_to, Some(3));
    assert_eq!(bench.store().offsets(id).end, 3);
}

/// `every-write`: a file system has to note each block that was never written before a sync is
/// through. Small commits are written ahead of, so most of them overwrite; a clean stop takes back
/// what nothing was written over.
#[test]
fn small_commits_seldom_make_their_file_longer() {
    let mut bench = Bench::new(POOL, 3);
    // The recovery point follows each append: at the stop nothing is left to settle.
    bench.shutdown();
    bench.options.recovery_bytes_max = 0;
    bench.start(3);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        segment_bytes: 64 << 20,
        ..interval()
    };
    let id = bench.open_log(1, "t", &config);
    let length = |bench: &Bench| {
        let files = bench.files.contents().into_iter();
        let mut segments = files.filter(|(path, _)| path.extension().is_some_and(|e| e == "log"));
        segments.next().map_or(0, |(_, bytes)| bytes.len())
    };
    let (mut longer, mut before, mut bytes) = (0, 0, 0);
    for _ in 0..400 {
        let sent = batch(1, 3000, 1, None);
        bytes += sent.len();
        let end = bench.append_all(id, &sent).must_be_durable_to.unwrap();
        bench.poll_until(|store| store.offsets(id).durable >= end);
        let now = length(&bench);
        longer += usize::from(now != before);
        before = now;
    }
    assert!(longer <= 40, "{longer} of 400 commits made the file longer");
    assert!(
        before > bytes && before <= bytes + (300 << 10),
        "{before} for {bytes}"
    );
    bench.poll_until(|store| !store.is_busy());
    bench.shutdown();
    assert_eq!(length(&bench), bytes);
}

#[test]
fn every_sync_is_in_the_histogram_with_what_it_took() {
    let mut bench = Bench::new(8 << 20, 1);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..LogConfig::default()
    };
    let id = bench.open_log(1, "t", &config);
    for n in 0..20 {
        bench.append_all(id, &batch(1, 100, n, None));
        bench.poll_until(|store| store.offsets(id).durable > n);
    }
    let stats = bench.store().stats();
    let region = bench.region();
    let told = &region.latency(0).syncs;
    told.publish(bench.store().sync_times());
    assert_eq!(told.count(), stats.disk_syncs);
    assert!(told.count() >= 20, "{}", told.count());
}
