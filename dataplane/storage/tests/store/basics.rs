//! One behaviour each.

use crate::support::{Bench, batch, stored};
use precursor_model::{ErrorCode, FlushPolicy, LogConfig, TimestampType};
use precursor_storage::{AppendError, LogState, Read, ReadError, ReadOptions, StoreEvent};

const POOL: u64 = 8 << 20;

fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 64 * 1024,
        index_interval_bytes: 512,
        ..LogConfig::default()
    }
}

#[test]
fn what_is_appended_is_read_hot_and_cold_and_after_a_restart() {
    let mut bench = Bench::new(POOL, 1);
    let id = bench.open_log(1, "t", &small());
    let mut all = Vec::new();
    for n in 0..100 {
        let sent = batch(10, 3000, 1000 * n, None);
        let appended = bench.append_all(id, &sent);
        assert_eq!(
            (appended.base_offset, appended.last_offset),
            (n * 10, n * 10 + 9)
        );
        all.push(stored(&sent, n * 10));
        bench.poll();
    }
    assert_eq!(bench.read_from(id, 995, 1 << 20), all[99]);
    assert_eq!(bench.read_from(id, 0, 10), all[0], "at least one batch");
    let none = ReadOptions {
        offset: 0,
        max_bytes: 10,
        at_least_one: false,
        committed: false,
    };
    assert_eq!(bench.read(id, none).unwrap(), b"");
    assert_eq!(bench.read_from(id, 1000, 100), b"");
    let beyond = ReadOptions {
        offset: 1001,
        ..none
    };
    assert_eq!(bench.read(id, beyond), Err(ReadError::OffsetOutOfRange));

    for round in 0..2 {
        let mut offset = 0;
        let mut read = Vec::new();
        while offset < 1000 {
            let bytes = bench.read_from(id, offset, 10_000);
            offset = 10 * ((read.len() + bytes.len()) / all[0].len()) as i64;
            read.extend(bytes);
        }
        assert!(read == all.concat(), "round {round}");
        if round == 0 {
            bench.shutdown();
            bench.start(2);
            let id = bench.open_log(1, "t", &small());
            assert_eq!(bench.store().offsets(id).end, 1000);
        }
    }
}

#[test]
fn log_append_time_and_lookups_by_time() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        message_timestamp_type: TimestampType::LogAppendTime,
        ..small()
    };
    let stamped = bench.open_log(1, "stamped", &config);
    let appended = bench.append_all(stamped, &batch(2, 100, 5, None));
    assert_eq!(appended.log_append_time_ms, bench.now.wall_ms);
    let bytes = bench.read_from(stamped, 0, 1000);
    assert_eq!(bytes[35..43], bench.now.wall_ms.to_be_bytes());

    let id = bench.open_log(2, "t", &small());
    // A client that has read nothing yet asks for the epoch that it was told.
    assert_eq!(bench.store().offset_for_leader_epoch(id, 3), (3, 0));
    for n in 0..60 {
        bench.append_all(id, &batch(10, 3000, 1000 * n, None));
        bench.poll();
    }
    for restarted in [false, true] {
        for (time, offset) in [
            (0, 0),
            (1, 1),
            (10, 10),
            (1000, 10),
            (31_004, 314),
            (59_009, 599),
        ] {
            let found = bench.find_time(id, time).unwrap();
            assert_eq!(found.offset, offset, "{time} restarted: {restarted}");
            assert!(found.timestamp >= time);
            assert_eq!(found.leader_epoch, 3);
        }
        assert_eq!(bench.find_time(id, 59_010), None);
        let newest = bench.newest(id).unwrap();
        assert_eq!((newest.timestamp, newest.offset), (59_009, 599));
        assert_eq!(bench.store().offset_for_leader_epoch(id, 3), (3, 600));
        if !restarted {
            bench.shutdown();
            bench.start(2);
            bench.open_log(1, "stamped", &config);
            assert_eq!(bench.open_log(2, "t", &small()), id);
        }
    }
}

#[test]
fn retention_and_delete_records_remove_segments_and_move_the_start() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        retention_bytes: 200 * 1024,
        ..small()
    };
    let id = bench.open_log(1, "t", &config);
    let time = bench.now.wall_ms;
    for n in 0..200 {
        bench.append_all(id, &batch(10, 3000, time + n, None));
        bench.poll();
    }
    bench.poll_until(|store| store.stats().disk_syncs == 0);
    for _ in 0..200 {
        bench.poll();
    }
    let segments = |bench: &Bench| {
        let paths = bench.files.paths();
        paths
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "log"))
            .count()
    };
    let before = segments(&bench);
    bench.pass(301_000);
    for _ in 0..50 {
        bench.poll();
    }
    let start = bench.store().offsets(id).start;
    assert!(start > 1000, "{start}");
    assert!(segments(&bench) <= 5 && before > 8, "{before}");
    let below = ReadOptions {
        offset: start - 1,
        max_bytes: 100,
        at_least_one: true,
        committed: false,
    };
    assert_eq!(bench.read(id, below), Err(ReadError::OffsetOutOfRange));

    assert_eq!(bench.store().delete_records(id, 1995), Ok(1995));
    assert_eq!(bench.store().delete_records(id, 1990), Ok(1995));
    let outside = bench.store().delete_records(id, 2001);
    assert_eq!(outside, Err(ErrorCode::OffsetOutOfRange));
    for _ in 0..50 {
        bench.poll();
    }
    assert_eq!(segments(&bench), 1);
    bench.crash();
    bench.start(2);
    let id = bench.open_log(1, "t", &config);
    let offsets = bench.store().offsets(id);
    assert_eq!((offsets.start, offsets.end), (1995, 2000));
    assert_eq!(bench.store().delete_records(id, -1), Ok(2000));

    // By time, the active segment too.
    bench.pass(8 * 86_400_000);
    for _ in 0..100 {
        bench.poll();
    }
    bench.append_all(id, &batch(1, 10, bench.now.wall_ms, None));
    assert_eq!(bench.store().offsets(id).start, 2000);
}

#[test]
fn every_write_is_reported_durable_and_survives_power_loss() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..small()
    };
    let id = bench.open_log(1, "t", &config);
    let mut random = precursor_disk::sim::Random::new(7);
    let mut end = 0;
    for n in 0..5 {
        for _ in 0..10 {
            let appended = bench.append_all(id, &batch(3, 5000, 1, None));
            end = appended.must_be_durable_to.unwrap();
        }
        bench.poll_until(|store| store.offsets(id).durable >= end);
        let reported = |event: &StoreEvent| {
            *event
                == StoreEvent::Durable {
                    log: id,
                    offset: end,
                }
        };
        assert!(bench.events.iter().any(reported));
        bench.append_all(id, &batch(3, 5000, 1, None));
        bench.lose_power(&mut random);
        bench.start(n);
        assert_eq!(bench.open_log(1, "t", &config), id);
        let found = bench.store().offsets(id);
        assert!(
            found.end >= end,
            "round {n}: {end} was durable, found {found:?}"
        );
    }
}

#[test]
fn every_write_shows_only_what_is_durable() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..small()
    };
    let id = bench.open_log(1, "t", &config);
    // Several segments' worth, so that what is shown ends in and between segments.
    for n in 0..40 {
        let appended = bench.append_all(id, &batch(3, 5000, 1, None));
        let offsets = bench.store().offsets(id);
        assert_eq!(offsets.end, appended.last_offset + 1);
        assert_eq!(offsets.high_watermark, offsets.durable);
        assert_eq!(offsets.last_stable, offsets.durable);
        if offsets.durable < offsets.end {
            let options = ReadOptions {
                offset: offsets.durable,
                max_bytes: 1 << 20,
                at_least_one: true,
                committed: false,
            };
            match bench.store().read(id, options) {
                Ok(Read::Ready(gather)) => {
                    assert!(gather.is_empty(), "batch {n}: read past {offsets:?}");
                    bench.store().release(gather);
                }
                other => panic!("batch {n}: {other:?} at the end of what is durable"),
            }
        }
        if n % 3 == 2 {
            bench.poll_until(|store| store.offsets(id).durable >= offsets.end);
            let read = bench.read_from(id, appended.base_offset, 1 << 20);
            assert!(!read.is_empty(), "batch {n} is durable and is not shown");
        }
    }
}

#[test]
fn producers_are_known_after_a_clean_stop_and_after_a_crash() {
    let mut bench = Bench::new(POOL, 1);
    let mut id = bench.open_log(1, "t", &small());
    for round in 0..4 {
        let first = round * 20;
        for n in 0..20 {
            bench.append_all(id, &batch(1, 2000, 1, Some((9, 1, first + n))));
            bench.poll();
        }
        if round % 2 == 0 {
            bench.shutdown();
        } else {
            bench.crash();
        }
        bench.start(3);
        id = bench.open_log(1, "t", &small());
        for back in 1..=5 {
            let sequence = first + 20 - back;
            let again = bench.append_all(id, &batch(1, 2000, 1, Some((9, 1, sequence))));
            assert!(again.duplicate, "round {round}: {back} back");
            assert_eq!(again.base_offset, i64::from(sequence));
        }
        let gap = bench.append(id, &batch(1, 2000, 1, Some((9, 1, first + 21))));
        assert_eq!(gap, Err(AppendError::OutOfOrderSequence));
        let fenced = bench.append(id, &batch(1, 2000, 1, Some((9, 0, first + 20))));
        assert_eq!(fenced, Err(AppendError::InvalidProducerEpoch));
    }
}

#[test]
fn a_failing_disk_takes_its_log_offline_and_no_other() {
    for errno in [5, 30] {
        let mut bench = Bench::new(POOL, 1);
        let bad = bench.open_log(1, "bad", &small());
        let good = bench.open_log(2, "good", &small());
        bench.append_all(bad, &batch(1, 1000, 1, None));
        bench.files.fail("/bad-0/", errno);
        bench.pass(1000);
        bench.poll_until(|store| store.state(bad) != LogState::Online);
        let code = ErrorCode::KafkaStorageError;
        assert_eq!(bench.store().state(bad), LogState::Offline(code));
        assert!(bench.events.contains(&StoreEvent::Offline {
            log: bad,
            error: code
        }));
        let refused = bench.append(bad, &batch(1, 1000, 1, None));
        assert_eq!(refused, Err(AppendError::NotOnline(code)));
        for n in 0..100 {
            let appended = bench.append_all(good, &batch(1, 3000, 1, None));
            assert_eq!(appended.base_offset, n);
            bench.poll();
        }
        // The next start finds what was acknowledged: it stayed in the region.
        bench.crash();
        bench.files.heal();
        bench.start(2);
        let bad = bench.open_log(1, "bad", &small());
        assert_eq!(bench.store().offsets(bad).end, 1);
        assert_eq!(
            bench.read_from(bad, 0, 10).len(),
            batch(1, 1000, 1, None).len()
        );
    }
}

#[test]
fn a_removed_log_is_gone_and_its_name_is_free() {
    let mut bench = Bench::new(POOL, 1);
    let id = bench.open_log(1, "t", &small());
    for _ in 0..50 {
        bench.append_all(id, &batch(1, 3000, 1, None));
        bench.poll();
    }
    bench.store().remove_log(id);
    let stale = bench.append(id, &batch(1, 10, 1, None));
    let code = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(stale, Err(AppendError::NotOnline(code)));
    let again = bench.open_log(2, "t", &small());
    assert_ne!(id, again);
    let offsets = bench.store().offsets(again);
    assert_eq!((offsets.start, offsets.end), (0, 0));
    bench.store().remove_log(again);
    for _ in 0..100 {
        bench.poll();
    }
    let left = bench.files.paths();
    assert!(
        left.iter().all(|path| !path.starts_with("/data/t-0")),
        "{left:?}"
    );
    assert_eq!(bench.store().pool_use().bytes_in_use, 0);
}

#[test]
fn many_logs_share_a_small_pool() {
    let mut bench = Bench::new(4 << 20, 1);
    let logs: Vec<_> = (0..400)
        .map(|n| bench.ensure(n + 1, &format!("t{n}"), &small()))
        .collect();
    let last = logs[399];
    bench.poll_until(|store| store.state(last) == LogState::Online);
    for round in 0..3 {
        for id in &logs {
            let appended = bench.append_all(*id, &batch(1, 500, 1, None));
            assert_eq!(appended.base_offset, round);
        }
    }
    for id in &logs {
        assert_eq!(
            bench.read_from(*id, 1, 10).len(),
            batch(1, 500, 1, None).len()
        );
    }
}

#[test]
fn a_gather_keeps_its_bytes_while_memory_is_short() {
    let mut bench = Bench::new(4 << 20, 1);
    let id = bench.open_log(1, "t", &small());
    let first = batch(1, 3000, 7, None);
    bench.append_all(id, &first);
    let options = ReadOptions {
        offset: 0,
        max_bytes: 10_000,
        at_least_one: true,
        committed: false,
    };
    let Ok(Read::Ready(gather)) = bench.store().read(id, options) else {
        panic!("the newest batch is hot");
    };
    for n in 0..4000 {
        bench.append_all(id, &batch(1, 3000, n, None));
        bench.poll();
    }
    let held = bench.store().slices(&gather).collect::<Vec<_>>().concat();
    assert!(held == stored(&first, 0));
    bench.store().release(gather);
    bench.store().remove_log(id);
    for _ in 0..200 {
        bench.poll();
    }
    assert_eq!(bench.store().pool_use().bytes_in_use, 0);
}
