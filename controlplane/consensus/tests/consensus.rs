//! One voter on a real disk: restarts, crashes, snapshots, refusals.

use precursor_consensus::{Consensus, OpenError, Options};
use precursor_metadata::{Broker, Change, Command, NewTopic, NewTopicPartition, Outcome};
use precursor_model::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn options(directory: &Path) -> Options {
    Options {
        directory: directory.to_owned(),
        node_id: 1,
    }
}

async fn open(directory: &Path) -> Consensus {
    Consensus::open(&options(directory)).await.unwrap()
}

fn register() -> Command {
    Command::RegisterBroker {
        broker: Broker {
            id: 1,
            host: String::new(),
            port: 0,
            rack: String::new(),
        },
    }
}

fn create(number: u64) -> Command {
    Command::CreateTopics {
        topics: vec![NewTopic {
            id: TopicId((u128::from(number) + 1).to_be_bytes()),
            name: format!("t-{number}"),
            internal: false,
            partitions: vec![NewTopicPartition {
                replicas: vec![(1, 0)],
                leader_epoch: 0,
            }],
            configs: BTreeMap::new(),
        }],
    }
}

async fn create_topic(consensus: &Consensus, number: u64) -> u64 {
    let reply = consensus.propose(create(number)).await.unwrap();
    let Outcome::TopicsCreated(outcomes) = reply.outcome else {
        panic!("another outcome");
    };
    outcomes[0].as_ref().unwrap();
    reply.version
}

#[tokio::test]
async fn what_was_agreed_on_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let consensus = open(directory.path()).await;
    let mut changes = consensus.subscribe();
    consensus.propose(register()).await.unwrap();
    let version = create_topic(&consensus, 0).await;
    assert_eq!(changes.recv().await.unwrap()[..], [Change::Broker(1)]);
    assert!(matches!(
        changes.recv().await.unwrap()[..],
        [Change::Topic(_)]
    ));
    let before = consensus.read(Clone::clone);
    assert_eq!(before.version(), version);
    consensus.shutdown().await;
    drop(consensus);

    let consensus = reopen(directory.path()).await;
    assert_eq!(consensus.read(Clone::clone), before);
    assert_eq!(create_topic(&consensus, 1).await, version + 1);
    consensus.shutdown().await;
}

/// Opens again, once the tasks of the handle before have let go of the file.
async fn reopen(directory: &Path) -> Consensus {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match Consensus::open(&options(directory)).await {
            Ok(consensus) => return consensus,
            Err(OpenError::Disk { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn the_log_is_cut_behind_snapshots_and_restored_from_them() {
    let directory = tempfile::tempdir().unwrap();
    let consensus = open(directory.path()).await;
    consensus.propose(register()).await.unwrap();
    let clients = (0..8u64).map(|client| {
        let consensus = consensus.clone();
        tokio::spawn(async move {
            for number in 0..160 {
                create_topic(&consensus, client * 160 + number).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while consensus.status().snapshot_index.is_none() {
        assert!(Instant::now() < deadline, "no snapshot was taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = consensus.read(Clone::clone);
    assert_eq!(before.topics().len(), 1_280);
    consensus.shutdown().await;
    drop(consensus);
    let consensus = reopen(directory.path()).await;
    assert_eq!(consensus.read(Clone::clone), before);
    assert!(consensus.status().snapshot_index.is_some());
    consensus.shutdown().await;
}

#[tokio::test]
async fn a_file_in_use_or_of_another_node_is_refused_in_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let consensus = open(directory.path()).await;
    let error = Consensus::open(&options(directory.path()))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("another process has it open"),
        "{error}"
    );
    consensus.shutdown().await;
    drop(consensus);
    drop(reopen(directory.path()).await);
    let other = Options {
        node_id: 2,
        ..options(directory.path())
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let error = Consensus::open(&other).await.err().unwrap().to_string();
        if error.contains("node.id=1") {
            break;
        }
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn garbage_in_the_place_of_the_log_is_an_error_not_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("metadata.redb"), [0xa5; 70_000]).unwrap();
    assert!(Consensus::open(&options(directory.path())).await.is_err());
}

const CHILD_DIRECTORY: &str = "PRECURSOR_TEST_CRASH_DIRECTORY";
const CHILD_FIRST: &str = "PRECURSOR_TEST_CRASH_FIRST";

/// Not a test of its own: the process that [`killed_at_any_moment_nothing_acknowledged_is_lost`]
/// kills. It makes topics and takes producer ids for ever, and prints what was acknowledged.
#[tokio::test]
async fn crash_child() {
    let Ok(directory) = std::env::var(CHILD_DIRECTORY) else {
        return;
    };
    let first: u64 = std::env::var(CHILD_FIRST).unwrap().parse().unwrap();
    let started = Instant::now();
    let consensus = open(Path::new(&directory)).await;
    println!("\nopened {}", started.elapsed().as_millis());
    consensus.propose(register()).await.unwrap();
    for number in first.. {
        create_topic(&consensus, number).await;
        println!("\ntopic {number}");
        let taken = Command::AllocateProducerIds { count: 3 };
        let Outcome::ProducerIds(Ok(id)) = consensus.propose(taken).await.unwrap().outcome else {
            panic!("no producer ids");
        };
        println!("\nids {id}");
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What one life of the child acknowledged before it was killed, after `acknowledged_max` lines.
fn run_child(directory: &Path, first: u64, lines_max: usize) -> (Vec<u64>, Vec<i64>, u64) {
    let mut child = Killed(
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash_child", "--nocapture"])
            .env(CHILD_DIRECTORY, directory)
            .env(CHILD_FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let output = child.0.stdout.take().unwrap();
    let (mut topics, mut ids, mut opened) = (Vec::new(), Vec::new(), u64::MAX);
    let mut take = |line: &str| {
        match line.split_once(' ') {
            Some(("topic", number)) => topics.push(number.parse().unwrap()),
            Some(("ids", id)) => ids.push(id.parse().unwrap()),
            Some(("opened", millis)) => opened = millis.parse().unwrap(),
            _ => return false,
        }
        true
    };
    let mut reader = BufReader::new(output);
    let (mut line, mut taken) = (String::new(), 0);
    while taken < lines_max && reader.read_line(&mut line).unwrap() > 0 {
        taken += usize::from(take(line.trim()));
        line.clear();
    }
    drop(child);
    // What it still said before it died counts as acknowledged; a line cut short does not.
    while reader.read_line(&mut line).unwrap() > 0 {
        if line.ends_with('\n') {
            take(line.trim());
        }
        line.clear();
    }
    (topics, ids, opened)
}

#[tokio::test]
async fn killed_at_any_moment_nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mut topics = BTreeSet::new();
    let mut ids = Vec::new();
    let mut opened = Vec::new();
    for round in 0..12usize {
        // A number that an unacknowledged proposal may have used already is not used again.
        let first = round as u64 * 10_000;
        let (more_topics, more_ids, millis) = run_child(directory.path(), first, 1 + round * 5);
        topics.extend(more_topics);
        ids.extend(more_ids);
        opened.push(millis);
    }
    println!("opened in {opened:?} ms, {} topics", topics.len());
    let consensus = open(directory.path()).await;
    consensus.read(|state| {
        state.check_invariants().unwrap();
        for number in &topics {
            let name = format!("t-{number}");
            assert!(state.topic_named(&name).is_some(), "{name} is lost");
        }
    });
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "producer ids were given twice");
    assert!(ids.windows(2).all(|pair| pair[0] + 3 <= pair[1]));
    assert!(topics.len() > 100);
    consensus.shutdown().await;
}
