//! Several log directories: where partitions go, are found, and what a failed one takes with it.

use super::support::*;
use precursor_disk::FileSystem;
use precursor_model::{ErrorCode, FlushPolicy, LogConfig, LogUid, TopicId};
use precursor_storage::{
    AppendError, DirectoriesError, LogDirectories, LogId, LogSpec, LogState, SpareRoom,
    StorageError, StoreEvent,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const POOL: u64 = 8 << 20;
const PLACES: [&str; 3] = ["/disk-a", "/disk-b", "/disk-c"];
const OFFLINE: LogState = LogState::Offline(ErrorCode::KafkaStorageError);

const SPARE: SpareRoom = SpareRoom {
    bytes: 1 << 20,
    percent: 1,
};

fn opened(bench: &Bench) -> Result<LogDirectories, DirectoriesError> {
    let paths = PLACES.map(PathBuf::from);
    let files: Arc<dyn FileSystem> = Arc::new(bench.files.clone());
    let how = (SPARE, precursor_storage::DISK_WAIT);
    LogDirectories::open(&files, &paths, Some(Path::new("/record")), how)
}

fn restart(bench: &mut Bench, seed: u64) {
    bench.options.directories = Some(Arc::new(opened(bench).unwrap()));
    bench.start(seed);
}

fn bench() -> Bench {
    let mut bench = Bench::new(POOL, 1);
    bench.shutdown();
    restart(&mut bench, 2);
    bench
}

fn ensure(bench: &mut Bench, uid: u64, name: &str, is_new: bool) -> Result<LogId, StorageError> {
    let now = bench.now;
    let spec = LogSpec {
        uid: LogUid(uid),
        topic_id: TopicId([uid as u8; 16]),
        topic: name,
        partition: 0,
        config: LogConfig::default(),
        leader_epoch: 1,
        is_new,
    };
    let id = bench.store().ensure_log(spec, now)?;
    bench.poll_until(|store| store.state(id) != LogState::Opening);
    Ok(id)
}

/// Logs 1 to `count`, named `t1` and so on, each with a record.
fn fill(bench: &mut Bench, count: u64) -> Vec<LogId> {
    let numbers = 1..=count;
    numbers
        .map(|n| {
            let id = ensure(bench, n, &format!("t{n}"), true).unwrap();
            bench.append_all(id, &batch(1, 100, n as i64, None));
            id
        })
        .collect()
}

fn places(bench: &mut Bench, logs: &[LogId]) -> Vec<u16> {
    let store = bench.store();
    let of = |id: &LogId| store.directory_of(*id).unwrap();
    logs.iter().map(of).collect()
}

#[test]
fn partitions_go_where_the_fewest_are_and_are_found_wherever_they_are() {
    let mut bench = bench();
    let logs = fill(&mut bench, 6);
    let before = places(&mut bench, &logs);
    assert_eq!(before, [0, 1, 2, 0, 1, 2]);
    // Two of the second directory go; the next two come there.
    for log in [1, 4] {
        bench.store().remove_log(logs[log]);
    }
    let new = [7, 8].map(|n| ensure(&mut bench, n, &format!("t{n}"), true).unwrap());
    assert_eq!(places(&mut bench, &new), [1, 1]);
    for log in new {
        bench.append_all(log, &batch(1, 100, 1, None));
    }
    bench.poll_until(|store| !store.is_busy());
    bench.shutdown();
    for place in PLACES {
        let own = Path::new(place).join("recovery-point-offset-checkpoint");
        let text = bench
            .files
            .contents()
            .into_iter()
            .find(|(path, _)| *path == own);
        let text = String::from_utf8(text.unwrap().1).unwrap();
        assert_eq!(
            text.lines().count(),
            4,
            "{place} speaks of its own two: {text}"
        );
    }
    restart(&mut bench, 3);
    // In another order than they were made.
    for n in [8, 6, 4, 3, 1, 7] {
        let id = ensure(&mut bench, n, &format!("t{n}"), false).unwrap();
        let expected = [0, 0, 0, 2, 0, 0, 2, 1, 1][n as usize];
        assert_eq!(places(&mut bench, &[id]), [expected], "t{n}");
        let end = bench.store().offsets(id).end;
        assert_eq!(end, 1, "t{n}");
    }
}

#[test]
fn a_failed_directory_takes_its_partitions_offline_and_no_others() {
    let mut bench = bench();
    let logs = fill(&mut bench, 6);
    bench.files.fail("/disk-b/", 5);
    bench.pass(1_000);
    // One of its logs is written to; the other is idle.
    bench.poll_until(|store| store.state(logs[1]) == OFFLINE && store.state(logs[4]) == OFFLINE);
    for log in [0, 2, 3, 5] {
        assert_eq!(bench.store().state(logs[log]), LogState::Online);
        bench.append_all(logs[log], &batch(1, 100, 9, None));
    }
    let states = bench.store().directories().states();
    let failed: Vec<bool> = states.iter().map(|state| state.error.is_some()).collect();
    assert_eq!(failed, [false, true, false]);
    let new = [7, 8, 9].map(|n| ensure(&mut bench, n, &format!("t{n}"), true).unwrap());
    assert_eq!(places(&mut bench, &new), [0, 2, 0]);
    // A topic that is deleted now does not hold up anything.
    bench.store().remove_log(logs[4]);
    bench.poll_until(|store| !store.is_busy());
    // A read-only file system is seen by whoever looks, before anything is written.
    bench.files.fail("/disk-c", 30);
    look(&mut bench);
    bench.poll_until(|store| store.state(logs[2]) == OFFLINE);
    assert_eq!(bench.store().state(logs[0]), LogState::Online);
}

#[test]
fn a_start_with_a_bad_directory_serves_the_others_and_makes_nothing_anew() {
    let mut bench = bench();
    let logs = fill(&mut bench, 3);
    bench.poll_until(|store| !store.is_busy());
    bench.pass(1_000);
    bench.poll_until(|store| !store.is_busy());
    // What comes last is in the region alone.
    for log in &logs {
        bench.append_all(*log, &batch(1, 100, 9, None));
    }
    bench.crash();
    bench.files.fail("/disk-b", 5);
    restart(&mut bench, 3);
    let [a, b, c] = [1, 2, 3].map(|n| ensure(&mut bench, n, &format!("t{n}"), false).unwrap());
    assert_eq!(bench.store().offsets(a).end, 2);
    assert_eq!(bench.store().state(b), OFFLINE);
    let offline = StoreEvent::Offline {
        log: b,
        error: ErrorCode::KafkaStorageError,
    };
    assert!(bench.events.contains(&offline));
    assert_eq!(bench.store().offsets(c).end, 2);
    let new = ensure(&mut bench, 4, "t4", true).unwrap();
    assert_eq!(bench.store().state(new), LogState::Online);
    bench.crash();
    bench.files.heal();
    restart(&mut bench, 4);
    let b = ensure(&mut bench, 2, "t2", false).unwrap();
    assert_eq!(places(&mut bench, &[b]), [1]);
    assert_eq!(bench.store().offsets(b).end, 2, "the region kept it");
}

#[test]
fn a_directory_that_is_not_mounted_is_not_taken_for_an_empty_one() {
    let mut bench = bench();
    fill(&mut bench, 3);
    bench.poll_until(|store| !store.is_busy());
    bench.shutdown();
    let files: &dyn FileSystem = &bench.files;
    files.remove_directory(Path::new("/disk-b")).unwrap();
    restart(&mut bench, 3);
    let states = bench.store().directories().states();
    let error = states[1].error.unwrap().to_string();
    assert!(error.contains("is its file system mounted?"), "{error}");
    let log = ensure(&mut bench, 2, "t2", false).unwrap();
    assert_eq!(bench.store().state(log), OFFLINE);
}

#[test]
fn one_partition_in_two_directories_is_refused_unless_they_are_of_two_topics() {
    let mut bench = bench();
    fill(&mut bench, 3);
    bench.shutdown();
    let files: &dyn FileSystem = &bench.files;
    let metadata = Path::new("/disk-a/t1-0/partition.metadata");
    let text = files.read(metadata).unwrap();
    let twin = Path::new("/disk-c/t1-0");
    files.create_directory(twin).unwrap();
    files
        .replace(&twin.join("partition.metadata"), &text)
        .unwrap();
    let refused = opened(&bench).unwrap_err();
    let DirectoriesError::Duplicate { partition, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(partition, "t1-0");
    assert!(
        refused.to_string().contains("/disk-a and in /disk-c"),
        "{refused}"
    );
    let other = String::from_utf8(text).unwrap().replace(
        &TopicId([1; 16]).to_string(),
        &TopicId([77; 16]).to_string(),
    );
    files
        .replace(&twin.join("partition.metadata"), other.as_bytes())
        .unwrap();
    restart(&mut bench, 3);
    let log = ensure(&mut bench, 1, "t1", false).unwrap();
    assert_eq!(places(&mut bench, &[log]), [0]);
    assert_eq!(bench.store().offsets(log).end, 1);
}

#[test]
fn without_any_usable_directory_there_is_no_start() {
    let bench = Bench::new(POOL, 1);
    bench.files.fail("/disk-", 5);
    let refused = opened(&bench).unwrap_err().to_string();
    for place in PLACES {
        assert!(refused.contains(place), "{refused}");
    }
}

fn look(bench: &mut Bench) {
    let files = bench.files.clone();
    for directory in 0..PLACES.len() as u16 {
        bench.store().directories().look(directory, &files);
    }
    bench.poll();
}

fn used(bench: &Bench) -> u64 {
    let lengths = bench.files.contents().into_iter();
    lengths.map(|(_, bytes)| bytes.len() as u64).sum()
}

#[test]
fn producers_are_refused_while_there_is_too_little_room_and_not_now_and_then() {
    let mut bench = bench();
    let log = fill(&mut bench, 1)[0];
    let offsets = ensure(&mut bench, 9, "__consumer_offsets", true).unwrap();
    bench.pass(1_000);
    bench.poll_until(|store| !store.is_busy());
    let used = used(&bench);
    bench.files.set_space(used + (1 << 20) - 1);
    look(&mut bench);
    let refused = bench.append(log, &batch(1, 100, 2, None)).unwrap_err();
    assert_eq!(refused, AppendError::NoSpace);
    assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
    assert!(refused.message().unwrap().contains("too little free space"));
    // Consumers go on, and can say how far they are.
    assert!(!bench.read_from(log, 0, 10).is_empty());
    bench.append(offsets, &batch(1, 100, 2, None)).unwrap();
    let new = ensure(&mut bench, 2, "t2", true).unwrap();
    assert_eq!(
        bench.append(new, &batch(1, 100, 2, None)),
        Err(AppendError::NoSpace)
    );
    // As much as was wanted is not enough to begin again.
    bench.files.set_space(used + (5 << 20) - (1 << 10));
    look(&mut bench);
    assert_eq!(
        bench.append(log, &batch(1, 100, 2, None)),
        Err(AppendError::NoSpace)
    );
    bench.files.set_space(used + (6 << 20));
    look(&mut bench);
    bench.append(log, &batch(1, 100, 2, None)).unwrap();
    bench.append(new, &batch(1, 100, 2, None)).unwrap();
}

#[test]
fn a_disk_that_runs_full_loses_nothing_and_goes_on_when_there_is_room() {
    for seed in 0..20 {
        let mut bench = bench();
        let log = fill(&mut bench, 1)[0];
        let config = LogConfig {
            flush_policy: FlushPolicy::EveryWrite,
            ..LogConfig::default()
        };
        bench.store().set_config(log, config);
        let other = ensure(&mut bench, 2, "t2", true).unwrap();
        bench.append_all(other, &batch(1, 100, 2, None));
        let used = used(&bench);
        bench.files.set_space(used + 200_000 + seed * 1_000);
        // Nobody looks: the disk itself says that there is no more.
        let mut appended = 1;
        while bench
            .store()
            .directories()
            .states()
            .iter()
            .all(|d| !d.is_full)
        {
            if bench.append(log, &batch(1, 3_000, appended, None)).is_ok() {
                appended += 1;
            }
            bench.pass(100);
            bench.poll();
        }
        for _ in 0..100 {
            bench.pass(100);
            bench.poll();
        }
        assert_eq!(bench.store().state(log), LogState::Online);
        assert_eq!(
            bench.append(log, &batch(1, 100, 2, None)),
            Err(AppendError::NoSpace)
        );
        assert!(bench.store().offsets(log).durable < appended);
        assert!(!bench.read_from(log, 0, 1).is_empty());
        // What it says when it is looked at is where it begins to count.
        look(&mut bench);
        bench.files.heal();
        look(&mut bench);
        bench.append_all(log, &batch(1, 3_000, appended, None));
        assert_eq!(bench.store().state(log), LogState::Online);
        for _ in 0..100 {
            bench.pass(100);
            bench.poll();
        }
        bench.poll_until(|store| !store.is_busy());
        assert_eq!(bench.store().offsets(log).durable, appended + 1);
        bench.shutdown();
        restart(&mut bench, seed + 3);
        let log = ensure(&mut bench, 1, "t1", false).unwrap();
        assert_eq!(bench.store().offsets(log).end, appended + 1);
    }
}

#[test]
fn the_marker_of_a_clean_stop_is_no_partition() {
    let mut bench = Bench::new(POOL, 1);
    bench.open_log(1, "t", &LogConfig::default());
    bench.shutdown();
    let files: &dyn FileSystem = &bench.files;
    let data = Path::new(DATA);
    let names = files.list(data).unwrap();
    assert!(
        names
            .iter()
            .any(|name| name.starts_with(".clean-shutdown-"))
    );
    assert_eq!(LogDirectories::partitions_in(files, data).unwrap(), ["t-0"]);
}
