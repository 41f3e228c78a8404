//! Logs that are made and opened many at a time.

use crate::support::{Bench, batch};
use precursor_disk::sim::Random;
use precursor_model::{ErrorCode, FlushPolicy, LogConfig};
use precursor_storage::{LogId, LogState, StoreEvent};
use std::path::Path;

const POOL: u64 = 8 << 20;
const LOGS: u64 = 5;

fn every_write() -> LogConfig {
    LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..LogConfig::default()
    }
}

fn ensure_all(bench: &mut Bench) -> Vec<LogId> {
    let name = |uid| format!("t{uid}");
    (1..=LOGS)
        .map(|uid| bench.ensure(uid, &name(uid), &every_write()))
        .collect()
}

/// Writes to whatever comes online until nothing changes on the disk any more; how many records of
/// each log are acknowledged.
fn write_to_online(bench: &mut Bench, ids: &[LogId]) -> Vec<i64> {
    let mut written = vec![false; ids.len()];
    for _ in 0..400 {
        bench.poll();
        for (at, id) in ids.iter().enumerate() {
            if !written[at] && bench.store().state(*id) == LogState::Online {
                written[at] = bench.append(*id, &batch(1, 100, 1, None)).is_ok();
            }
        }
    }
    ids.iter()
        .map(|id| bench.store().offsets(*id).durable)
        .collect()
}

/// Whether `partition.metadata` is on the disk, whole.
fn names_its_log(bench: &Bench, uid: u64) -> bool {
    let path = format!("/data/t{uid}-0/partition.metadata");
    let all = bench.files.contents();
    let found = all.iter().find(|(place, _)| *place == Path::new(&path));
    found.is_some_and(|(_, bytes)| bytes.ends_with(format!("log_uid: {uid}\n").as_bytes()))
}

/// Dies after each change that making five logs and writing to them makes on the disk. Whatever was
/// acknowledged is there, and what was not can be made again.
#[test]
fn a_crash_at_any_step_of_making_logs_loses_nothing_acknowledged() {
    for power in [false, true] {
        for draw in 0..4 {
            let mut steps = 0;
            loop {
                let mut bench = Bench::new(POOL, draw);
                bench.files.stop_after(steps);
                let ids = ensure_all(&mut bench);
                let acknowledged = write_to_online(&mut bench, &ids);
                let finished = !bench.files.is_stopped();
                bench.files.heal();
                match power {
                    true => bench.lose_power(&mut Random::new(steps * 31 + draw)),
                    false => bench.crash(),
                }
                for (at, acknowledged) in acknowledged.iter().enumerate() {
                    // Whose records these are must not be a guess.
                    let named = names_its_log(&bench, at as u64 + 1);
                    assert!(
                        *acknowledged == 0 || named,
                        "power {power}, step {steps}, {at}"
                    );
                }
                bench.start(draw);
                let ids = ensure_all(&mut bench);
                bench.poll_until(|store| ids.iter().all(|i| store.state(*i) != LogState::Opening));
                for (at, id) in ids.iter().enumerate() {
                    let what = format!("power {power}, draw {draw}, step {steps}, log {at}");
                    assert_eq!(bench.store().state(*id), LogState::Online, "{what}");
                    let end = bench.store().offsets(*id).end;
                    assert!(end >= acknowledged[at], "{what}: {end}");
                    bench.append(*id, &batch(1, 100, 1, None)).unwrap();
                }
                if finished {
                    assert!(acknowledged.iter().all(|end| *end == 1));
                    break;
                }
                steps += 1;
            }
            assert!(steps > 30, "{steps} steps");
        }
    }
}

/// One disk error takes one log of a batch offline.
#[test]
fn a_log_that_cannot_be_made_does_not_keep_the_others() {
    for syncs_only in [false, true] {
        let mut bench = Bench::new(POOL, 1);
        match syncs_only {
            true => bench.files.fail_syncs("/t3-0/", 5),
            false => bench.files.fail("/t3-0", 5),
        }
        let ids = ensure_all(&mut bench);
        bench.poll_until(|store| ids.iter().all(|id| store.state(*id) != LogState::Opening));
        for (at, id) in ids.iter().enumerate() {
            let wanted = match at {
                2 => LogState::Offline(ErrorCode::KafkaStorageError),
                _ => LogState::Online,
            };
            assert_eq!(bench.store().state(*id), wanted, "log {at}");
        }
    }
}

/// Logs with much to walk through are given back when a job has done its share.
#[test]
fn one_job_recovers_only_so_much() {
    let mut bench = Bench::new(POOL, 1);
    let config = LogConfig::default();
    for uid in 1..=LOGS {
        let id = bench.open_log(uid, &format!("t{uid}"), &config);
        for _ in 0..9 {
            bench.append_all(id, &batch(1, 1_000_000, 1, None));
        }
    }
    bench.crash();
    bench.start(1);
    let ids = ensure_all(&mut bench);
    let mut online = Vec::new();
    while online.iter().sum::<usize>() < ids.len() {
        bench.events.clear();
        bench.poll();
        let is_online = |event: &&StoreEvent| matches!(event, StoreEvent::Online { .. });
        match bench.events.iter().filter(is_online).count() {
            0 => {}
            count => online.push(count),
        }
    }
    assert_eq!(online, [2, 2, 1], "logs that came online together");
    for id in ids {
        assert_eq!(bench.store().offsets(id).end, 9);
    }
}

/// A topic that is deleted while its logs are being made leaves nothing, and its name is free.
#[test]
fn a_topic_can_go_and_come_while_its_logs_are_made() {
    for polls in 0..4 {
        let mut bench = Bench::new(POOL, 1);
        let old = ensure_all(&mut bench);
        for _ in 0..polls {
            bench.poll();
        }
        for id in old {
            bench.store().remove_log(id);
        }
        let name = |uid| format!("t{uid}");
        let ids: Vec<_> = (1..=LOGS)
            .map(|uid| bench.ensure(uid + 10, &name(uid), &every_write()))
            .collect();
        bench.poll_until(|store| ids.iter().all(|id| store.state(*id) != LogState::Opening));
        for id in ids {
            assert_eq!(bench.store().state(id), LogState::Online);
            bench.append(id, &batch(1, 100, 1, None)).unwrap();
        }
        let paths = bench.files.paths();
        let strange = |path: &Path| {
            let path = path.to_string_lossy();
            path.contains("set-aside") || path.contains(".delete")
        };
        assert!(!paths.iter().any(|path| strange(path)), "{paths:?}");
    }
}

/// Dies after each change that an orderly stop makes on the disk.
#[test]
fn a_crash_at_any_step_of_a_stop_loses_nothing_acknowledged() {
    let mut steps = 0;
    loop {
        let mut bench = Bench::new(POOL, 1);
        let ids = ensure_all(&mut bench);
        assert_eq!(write_to_online(&mut bench, &ids), [1; LOGS as usize]);
        bench.files.stop_after(steps);
        let (store, now) = (bench.store.take().unwrap(), bench.now);
        let finished = store.shutdown(now).is_ok();
        bench.files.heal();
        bench.lose_power(&mut Random::new(steps));
        bench.start(1);
        let ids = ensure_all(&mut bench);
        bench.poll_until(|store| ids.iter().all(|id| store.state(*id) != LogState::Opening));
        for id in ids {
            assert_eq!(bench.store().state(id), LogState::Online, "step {steps}");
            assert_eq!(bench.store().offsets(id).end, 1, "step {steps}");
        }
        if finished {
            break;
        }
        steps += 1;
    }
    assert!(steps > 50, "{steps} steps");
}
