//! What compaction costs those who produce meanwhile.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_protocol::messages::IncrementalAlterConfigsRequest;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use precursor_protocol::records::BatchBuilder;

use crate::client::{Connection, now_ms};
use crate::latency::Quantiles;
use crate::node::{Node, page, sample};

/// The topic whose compaction is switched on and off. It is written to all the time.
const COMPACTED: &str = "compacted";
/// The topic whose producer is watched.
const WATCHED: &str = "watched";
const KEYS: u64 = 100_000;
const VALUE_BYTES: usize = 1_000;
/// Records of a batch, and batches of a second, that go to the compacted topic.
const BATCH: u64 = 100;
const BATCHES_PER_SECOND: u32 = 200;
const TOPIC_RESOURCE: i8 = 2;

/// Produce requests of one client while another topic is compacted, and while it is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompactionReport {
    pub without: Quantiles,
    pub during: Quantiles,
    /// What compaction read in either time.
    pub bytes_read_without: u64,
    pub bytes_read_during: u64,
    /// p99 during compaction over p99 without it.
    pub p99_ratio: f64,
}

/// Switches between the two `turns` times, `each` long; both times hold the same load.
pub fn cost(turns: u32, each: Duration) -> CompactionReport {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let metrics = format!("metrics.listen=127.0.0.1:{port}");
    let node = Node::start(&[
        "dataplane.shards=1",
        "log.cleaner.backoff.ms=50",
        "log.retention.check.interval.ms=1000",
        &metrics,
    ]);
    let mut connection = node.connect();
    for topic in [COMPACTED, WATCHED] {
        let options = [
            ("segment.bytes", "8388608"),
            ("retention.bytes", "134217728"),
            ("min.cleanable.dirty.ratio", "0.01"),
        ];
        let created = connection.create_topic(topic, 1, &options);
        assert!(created.is_ok(), "{created:?}");
    }
    let writer = KeyWriter::start(node.address());
    let (mut without, mut during) = (Vec::new(), Vec::new());
    let mut report = CompactionReport::default();
    for _ in 0..turns {
        set_policy(&mut connection, "delete");
        let read = bytes_read(port);
        watch(&mut connection, each, &mut without);
        report.bytes_read_without += bytes_read(port) - read;
        set_policy(&mut connection, "compact");
        let read = bytes_read(port);
        watch(&mut connection, each, &mut during);
        report.bytes_read_during += bytes_read(port) - read;
    }
    writer.finish();
    report.without = Quantiles::of(without);
    report.during = Quantiles::of(during);
    report.p99_ratio = report.during.p99.as_secs_f64() / report.without.p99.as_secs_f64();
    report
}

/// What compaction has read since the start, once it has been told.
fn bytes_read(port: u16) -> u64 {
    // The gauges are put on the page once a second.
    std::thread::sleep(Duration::from_millis(1_100));
    let (_, metrics) = page(port, "/metrics").expect("the metrics");
    let name = "precursor_cleaner_bytes_read_total{shard=\"0\"}";
    sample(&metrics, name).expect("the cleaner's counter") as u64
}

fn set_policy(connection: &mut Connection, policy: &str) {
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: TOPIC_RESOURCE,
            resource_name: COMPACTED.to_owned(),
            configs: vec![AlterableConfig {
                name: "cleanup.policy".to_owned(),
                value: Some(policy.to_owned()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = connection.ask(&request, 1).expect("an answer");
    assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
}

/// Produces ten records at a time, a millisecond after the last answer.
fn watch(connection: &mut Connection, time: Duration, took: &mut Vec<Duration>) {
    let values = vec![vec![b'x'; 100]; 10];
    let begun = Instant::now();
    while begun.elapsed() < time {
        let asked = Instant::now();
        let produced = connection.produce(WATCHED, 0, &values);
        took.push(asked.elapsed());
        assert!(produced.is_ok(), "{produced:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes records with keys at a steady rate.
#[derive(Debug)]
struct KeyWriter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl KeyWriter {
    fn start(address: SocketAddr) -> KeyWriter {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || write_keys(address, &told));
        KeyWriter { stop, thread }
    }

    fn finish(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the writer lives");
    }
}

fn write_keys(address: SocketAddr, stop: &AtomicBool) {
    let mut connection = Connection::open(address).expect("a connection");
    let (begun, value) = (Instant::now(), vec![b'v'; VALUE_BYTES]);
    let mut batches = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut builder = BatchBuilder::new();
        for record in 0..BATCH {
            // Every key comes in turn, in an order that is not theirs.
            let key = ((u64::from(batches) * BATCH + record) * 7_919) % KEYS;
            builder.append(now_ms(), Some(&key.to_be_bytes()), Some(&value), &[]);
        }
        let mut records = Vec::new();
        builder.build(&mut records);
        let sent = connection.send_records(COMPACTED, 0, 1, records);
        sent.expect("a request goes");
        let (_, produced) = connection.produced().expect("an answer comes");
        assert_eq!(produced.error_code, 0);
        batches += 1;
        let due = begun + Duration::from_secs(1) * batches / BATCHES_PER_SECOND;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
