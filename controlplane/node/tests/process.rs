//! The process itself: ready, killed, restarted, stopped, refused; its idle memory.

use precursor_admin_api::v1::cluster_client::ClusterClient;
use precursor_admin_api::v1::topics_client::TopicsClient;
use precursor_admin_api::v1::{
    CreateTopicRequest, DescribeTopicRequest, GetStatusRequest, ListTopicsRequest,
};
use precursor_shm::{ProcessState, Region, RegionOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn wait(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_precursor-controlplane"));
    let set = |name: &str, at: &str| format!("{name}={}", directory.join(at).display());
    command
        .args(["--set", &set("data.dir", "data")])
        .args(["--set", &set("memory.region.dir", "region")])
        .args(["--set", "dataplane.shards=1"])
        .args(["--set", "memory.hugepages=off"])
        .args(["--set", "memory.region.bytes=16777216"]);
    command
}

fn ground() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("region")).unwrap();
    directory
}

/// Starts the process and waits until the status page says that it is ready.
fn start(directory: &Path, before: u64) -> (Process, Region) {
    let process = Process(command(directory).spawn().unwrap());
    let options = RegionOptions {
        directory: Some(directory.join("region")),
        ..RegionOptions::new(1, directory.join("data"))
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(region) = Region::attach_existing(&options) {
            let status = region.status();
            let ready = status.control_state() == ProcessState::Ready;
            if ready && status.control_generation() > before {
                return (process, region);
            }
        }
        assert!(Instant::now() < deadline, "it does not become ready");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn address(region: &Region) -> String {
    format!("http://127.0.0.1:{}", region.status().admin_port())
}

#[tokio::test]
async fn killed_ten_times_it_comes_back_with_every_topic() {
    let directory = ground();
    let mut generation = 0;
    for round in 0..10u32 {
        let started = Instant::now();
        let (mut process, region) = start(directory.path(), generation);
        println!("ready after {:?}", started.elapsed());
        generation = region.status().control_generation();
        let mut topics = TopicsClient::connect(address(&region)).await.unwrap();
        let listed = topics
            .list_topics(ListTopicsRequest::default())
            .await
            .unwrap();
        let names: Vec<String> = listed
            .into_inner()
            .topics
            .into_iter()
            .map(|t| t.name)
            .collect();
        let expected: Vec<String> = (0..round).map(|n| format!("t{n}")).collect();
        assert_eq!(names, expected);
        let request = CreateTopicRequest {
            name: format!("t{round}"),
            partitions: Some(2),
            ..CreateTopicRequest::default()
        };
        topics.create_topic(request.clone()).await.unwrap();
        process.0.kill().unwrap();
        process.wait();
    }
    let (_process, region) = start(directory.path(), generation);
    let mut topics = TopicsClient::connect(address(&region)).await.unwrap();
    let twice = CreateTopicRequest {
        name: "t0".into(),
        ..CreateTopicRequest::default()
    };
    let refused = topics.create_topic(twice).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::AlreadyExists);
    let kafka = refused.metadata().get(precursor_admin_api::KAFKA_ERROR_KEY);
    assert_eq!(kafka.unwrap(), "TOPIC_ALREADY_EXISTS");
    let describe = DescribeTopicRequest { name: "t9".into() };
    let topic = topics.describe_topic(describe).await.unwrap().into_inner();
    assert_eq!(topic.partitions.len(), 2);
    assert!(
        topic
            .configs
            .iter()
            .any(|c| c.name == "retention.ms" && c.is_default)
    );
    let mut cluster = ClusterClient::connect(address(&region)).await.unwrap();
    let status = cluster
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.topics, status.partitions), (10, 20));
    assert_eq!(status.consensus.unwrap().voters, [1]);
    assert_eq!(status.node.unwrap().data_plane.unwrap().state, "down");
}

/// Status line and body of a page.
fn page(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn without_its_data_plane_it_lives_is_not_ready_and_shows_metrics() {
    let directory = ground();
    let (_process, region) = start(directory.path(), 0);
    let mut cluster = ClusterClient::connect(address(&region)).await.unwrap();
    let status = cluster.get_status(GetStatusRequest {}).await.unwrap();
    let metrics = status.into_inner().node.unwrap().metrics_address;
    let (line, body) = page(&metrics, "/healthz");
    assert_eq!(
        (line.as_str(), body.as_str()),
        ("HTTP/1.1 200 OK", "alive\n")
    );
    let (line, body) = page(&metrics, "/readyz");
    assert_eq!(line, "HTTP/1.1 503 Service Unavailable");
    assert!(body.contains("The data plane is down."), "{body}");
    let (line, body) = page(&metrics, "/metrics");
    assert_eq!(line, "HTTP/1.1 200 OK");
    for sample in [
        "precursor_ready 0",
        "precursor_raft_is_leader 1",
        "precursor_topics 0",
        "precursor_records_in_total{shard=\"0\"} 0",
        "precursor_pool_bytes_max{shard=\"0\"} ",
        // Nobody reads there: what the control plane told the shard waits.
        "precursor_control_ring_bytes_max{shard=\"0\",to=\"data-plane\"} ",
        "precursor_control_ring_bytes_in_use{shard=\"0\",to=\"control-plane\"} 0",
        "precursor_control_ring_messages{shard=\"0\",to=\"control-plane\"} 0",
        "precursor_control_ring_bytes_in_use_max{shard=\"0\",to=\"control-plane\"} 0",
        "precursor_control_ring_stalls_total{shard=\"0\",to=\"data-plane\"} 0",
        "precursor_process_threads{process=\"control-plane\"} ",
    ] {
        let there = body.lines().any(|line| line.starts_with(sample));
        assert!(there, "{sample} is not in:\n{body}");
    }
    assert_eq!(page(&metrics, "/else").0, "HTTP/1.1 404 Not Found");
}

#[test]
fn it_stops_when_told_and_when_its_supervisor_is_gone() {
    let directory = ground();
    let (mut process, region) = start(directory.path(), 0);
    let pid = nix::unistd::Pid::from_raw(process.0.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(process.wait().success());
    assert_eq!(region.status().control_state(), ProcessState::Absent);
    // Process 1 is never its parent here: it sees a supervisor that is gone.
    let orphan = command(directory.path())
        .args(["--supervised-by", "1"])
        .spawn();
    assert!(Process(orphan.unwrap()).wait().success());
}

#[test]
fn a_second_one_is_refused_in_a_sentence_that_names_the_first() {
    let directory = ground();
    let (process, _region) = start(directory.path(), 0);
    let mut second = command(directory.path());
    let output = second.stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    let sentence = String::from_utf8_lossy(&output.stderr);
    let holder = format!("in use by pid {}", process.0.id());
    assert!(sentence.contains(&holder), "{sentence}");
}

#[test]
fn idle_it_holds_little_memory_of_its_own() {
    let directory = ground();
    let (process, _region) = start(directory.path(), 0);
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let kib = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    println!(
        "idle: {} KiB, {} KiB of it anonymous",
        kib("VmRSS"),
        kib("RssAnon")
    );
    // The rest is the program's own file, which is larger in a build for debugging.
    assert!(kib("RssAnon") < 4 * 1024, "{status}");
}
