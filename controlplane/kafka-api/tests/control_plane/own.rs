//! Requests of the broker itself to its data plane.

use crate::plane::{FakeShard, Ground, Plane, pump_until, settle, shards};
use precursor_bridge::{
    DataPlane, DirectoryDescription, LogDescription, OWN_REQUESTS_PER_SHARD_MAX, OwnError,
};
use precursor_model::LogUid;
use precursor_shm::control::ToControl;
use std::future::Future;
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs one future on a thread of its own.
fn run<F: Future<Output: Send> + Send + 'static>(future: F) -> JoinHandle<F::Output> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(future)
    })
}

fn ask(plane: &Plane, shard: u16, frame: &[u8]) -> JoinHandle<Result<Vec<u8>, OwnError>> {
    let (data_plane, frame) = (plane.data_plane.clone(), frame.to_vec());
    run(async move { data_plane.request(shard, frame).await })
}

fn asked(shards: &mut [FakeShard], shard: usize, count: usize) {
    pump_until(shards, |shards| shards[shard].own_requests.len() >= count);
}

#[test]
fn answers_come_whole_and_in_any_order() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let long = vec![5; 100_000];
    let first = ask(&plane, 1, &long);
    asked(&mut shards, 1, 1);
    let second = ask(&plane, 1, b"second");
    asked(&mut shards, 1, 2);
    assert!(
        shards[1].own_requests[0].1 == long,
        "in pieces, put together"
    );
    assert_eq!(shards[1].own_requests[1].1, b"second");
    let tokens: Vec<u64> = shards[1].own_requests.iter().map(|own| own.0).collect();
    shards[1].answer_own(tokens[1], b"answer", 2);
    assert_eq!(second.join().unwrap(), Ok(b"answer".to_vec()));
    assert!(!first.is_finished());
    shards[1].answer_own(tokens[0], b"", 1);
    assert_eq!(first.join().unwrap(), Err(OwnError::Refused));
    let (data_plane, _): (DataPlane, _) = DataPlane::new(1);
    let nowhere = run(async move { data_plane.request(1, Vec::new()).await });
    assert_eq!(nowhere.join().unwrap(), Err(OwnError::Refused));
}

#[test]
fn a_data_plane_that_dies_takes_the_requests_with_it() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let lost = ask(&plane, 0, b"nobody is there yet");
    assert_eq!(lost.join().unwrap(), Err(OwnError::Lost));
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let pending = ask(&plane, 0, b"pending");
    asked(&mut shards, 0, 1);
    shards[0].hello(2);
    assert_eq!(pending.join().unwrap(), Err(OwnError::Lost));
    let token = shards[0].own_requests.remove(0).0;
    shards[0].answer_own(token, b"late", 9);
    let again = ask(&plane, 0, b"again");
    asked(&mut shards, 0, 1);
    let token = shards[0].own_requests.remove(0).0;
    shards[0].answer_own(token, b"there", 9);
    assert_eq!(again.join().unwrap(), Ok(b"there".to_vec()));
}

#[test]
fn a_shard_gets_no_more_at_a_time_than_it_takes() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let all = OWN_REQUESTS_PER_SHARD_MAX + 20;
    let data_plane = plane.data_plane.clone();
    let asking = run(async move {
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..all {
            let data_plane = data_plane.clone();
            set.spawn(async move { data_plane.request(0, vec![1]).await });
        }
        set.join_all().await
    });
    asked(&mut shards, 0, OWN_REQUESTS_PER_SHARD_MAX);
    std::thread::sleep(std::time::Duration::from_millis(50));
    shards[0].pump();
    assert_eq!(shards[0].own_requests.len(), OWN_REQUESTS_PER_SHARD_MAX);
    let mut answered = 0;
    while answered < all {
        asked(&mut shards, 0, 1);
        for (token, _) in std::mem::take(&mut shards[0].own_requests) {
            shards[0].answer_own(token, b"yes", 9);
            answered += 1;
        }
    }
    assert!(asking.join().unwrap().iter().all(Result::is_ok));
}

#[test]
fn every_shard_is_asked_for_its_logs_and_answers_in_pieces() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let data_plane = plane.data_plane.clone();
    let asked = run(async move { data_plane.describe_logs().await });
    let log = |uid| LogDescription {
        log: LogUid(uid),
        log_start_offset: 1,
        high_watermark: 2,
        log_end_offset: 3,
        size_bytes: 4,
        memory_bytes: 5,
        segments: 6,
        directory: 0,
        records_in: 7,
        batches_in: 8,
        bytes_in: 9,
        bytes_out: 10,
    };
    let directory = DirectoryDescription {
        error: 5,
        partitions: 3,
        ..DirectoryDescription::default()
    };
    for (shard, pieces) in [(0, vec![vec![1, 2], vec![3]]), (1, vec![vec![]])] {
        pump_until(&mut shards, |shards| !shards[shard].described.is_empty());
        let token = shards[shard].described.remove(0);
        let count = pieces.len();
        let directories = vec![directory];
        shards[shard].send(&ToControl::DirectoryDescriptions { token, directories });
        for (number, uids) in pieces.into_iter().enumerate() {
            shards[shard].send(&ToControl::LogDescriptions {
                token,
                last: number + 1 == count,
                entries: uids.into_iter().map(log).collect(),
            });
        }
    }
    let described = asked.join().unwrap().unwrap();
    assert_eq!(described.logs, [log(1), log(2), log(3)]);
    assert_eq!(described.directories, [directory]);

    // A data plane that dies answers nobody.
    let data_plane = plane.data_plane.clone();
    let lost = run(async move { data_plane.describe_logs().await });
    pump_until(&mut shards, |shards| !shards[0].described.is_empty());
    shards[0].hello(2);
    assert_eq!(lost.join().unwrap(), Err(OwnError::Lost));
}

/// Each answer is followed by the next question, so that the bridge finds something in every turn.
#[test]
fn a_stop_is_heard_though_there_is_always_something_to_do() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, false);
    for _ in 0..4 {
        let data_plane = plane.data_plane.clone();
        plane.runtime.spawn(async move {
            // No shard has said hello: the answer is there at once.
            while data_plane.request(0, Vec::new()).await == Err(OwnError::Lost) {}
        });
    }
    std::thread::sleep(Duration::from_millis(100));
    let (done, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(plane);
        let _ = done.send(());
    });
    let stopped = stopped.recv_timeout(Duration::from_secs(10));
    assert!(stopped.is_ok(), "the bridge hears nothing");
}
