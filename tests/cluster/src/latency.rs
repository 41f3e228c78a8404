//! How long requests take that are not about records, while producers write as fast as they can.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use precursor_protocol::ApiKey;
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::{DescribeClusterRequest, MetadataRequest};

use crate::batch;
use crate::client::{Connection, PRODUCE_VERSION, now_ms, produce_body};
use crate::groups::{commit, wait_for_coordinator};
use crate::node::Node;

const METADATA_VERSION: i16 = 12;
/// Of the topic that is written to: what is kept of it must not fill the disk.
const WRITTEN: [(&str, &str); 2] = [
    ("segment.bytes", "1073741824"),
    ("retention.bytes", "1073741824"),
];

/// Of how many, and how long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantiles {
    pub count: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub p999: Duration,
}

impl Quantiles {
    /// # Panics
    /// There are none.
    pub fn of(mut took: Vec<Duration>) -> Quantiles {
        took.sort_unstable();
        let at = |share: f64| took[(took.len() as f64 * share) as usize];
        Quantiles {
            count: took.len(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
        }
    }
}

/// Requests one after another, while producers write as fast as they can.
#[derive(Clone, Copy, Debug, Default)]
pub struct LatencyReport {
    pub records_per_second: u64,
    /// OffsetCommit of one partition.
    pub commits: Quantiles,
    /// Metadata of 100 topics.
    pub metadata: Quantiles,
    /// DescribeCluster: the way to the control plane and back.
    pub described: Quantiles,
    /// One byte to a thread of this process and back over a socket: what the machine itself takes
    /// under this load.
    pub echo: Quantiles,
}

/// Measures for `time`, with one shard and this many producers, each with batches of 1,000 records
/// of 100 bytes, four in flight.
pub fn under_load(time: Duration, producers: usize) -> LatencyReport {
    let node = Node::start(&["dataplane.shards=1", "log.retention.check.interval.ms=1000"]);
    let mut connection = node.connect();
    let names: Vec<String> = (0..100).map(|number| format!("read-{number}")).collect();
    for name in &names {
        let created = connection.create_topic(name, 1, &[]);
        assert!(created.is_ok(), "{created:?}");
    }
    let created = connection.create_topic("written", 1, &WRITTEN);
    assert!(created.is_ok(), "{created:?}");
    wait_for_coordinator(&mut connection, "readers");
    let flood = || Flood::start(node.address(), "written");
    let floods: Vec<Flood> = (0..producers).map(|_| flood()).collect();
    let topic = |name: &String| MetadataRequestTopic {
        name: Some(name.clone()),
        ..Default::default()
    };
    let metadata = MetadataRequest {
        topics: Some(names.iter().map(topic).collect()),
        ..Default::default()
    };
    // What measures runs when it is answered, not when the producers' threads have had their turns:
    // that wait would be the machine's, not the broker's.
    precursor_memory::ask_for_short_turns().expect("a scheduler that is asked");
    let mut echo = echo();
    let mut echoed = Vec::new();
    let (begun, mut offset) = (Instant::now(), 0);
    let (mut commits, mut asked_for, mut described) = (Vec::new(), Vec::new(), Vec::new());
    while begun.elapsed() < time {
        let asked = Instant::now();
        let outcome = commit(&mut connection, "readers", "read-0", 1, offset);
        commits.push(asked.elapsed());
        assert_eq!(outcome.expect("an answer"), 0);
        offset += 1;
        std::thread::sleep(Duration::from_millis(1));
        let asked = Instant::now();
        let answer = connection.ask(&metadata, METADATA_VERSION);
        asked_for.push(asked.elapsed());
        assert_eq!(answer.expect("an answer").topics.len(), names.len());
        std::thread::sleep(Duration::from_millis(1));
        let asked = Instant::now();
        let answer = connection.ask(&DescribeClusterRequest::default(), 0);
        described.push(asked.elapsed());
        assert_eq!(answer.expect("an answer").error_code, 0);
        std::thread::sleep(Duration::from_millis(1));
        let asked = Instant::now();
        let answer = echo
            .write_all(&[1])
            .and_then(|()| echo.read_exact(&mut [0]));
        echoed.push(asked.elapsed());
        assert!(answer.is_ok(), "{answer:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    LatencyReport {
        records_per_second: floods.into_iter().map(Flood::finish).sum(),
        commits: Quantiles::of(commits),
        metadata: Quantiles::of(asked_for),
        described: Quantiles::of(described),
        echo: Quantiles::of(echoed),
    }
}

/// A connection to a thread that gives back what it gets.
fn echo() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
    });
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// A producer that writes batches of 1,000 records of 100 bytes to a partition, four in flight.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Flood {
    pub fn start(address: SocketAddr, topic: &'static str) -> Flood {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || flood(address, topic, &told));
        Flood { stop, thread }
    }

    /// Records per second.
    pub fn finish(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the producer lives")
    }
}

fn flood(address: SocketAddr, topic: &str, stop: &AtomicBool) -> u64 {
    let mut connection = Connection::open(address).expect("a connection");
    let values = vec![vec![b'x'; 100]; 1_000];
    let batch = batch::encode(&values, None, now_ms());
    let body = produce_body(topic, 0, 1, batch).expect("a request");
    let begun = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        while sent < answered + 4 {
            let asked = connection.send(ApiKey::Produce, PRODUCE_VERSION, &body);
            asked.expect("a request goes");
            sent += 1;
        }
        connection.produced().expect("an answer comes");
        answered += 1;
    }
    (answered as f64 * 1_000.0 / begun.elapsed().as_secs_f64()) as u64
}
