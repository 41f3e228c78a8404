//! Crash loops under load, as tests and as longer runs by argument.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::load::{self, Read, Running, Writing, Written};
use crate::node::Node;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    DataPlane,
    ControlPlane,
    Everything,
    /// Everything, and the region with it.
    Power,
}

/// One crash loop.
#[derive(Clone, Debug)]
pub struct CrashLoop {
    pub victim: Victim,
    pub kills: u32,
    pub partitions: i32,
    /// Options of the topic that is written to.
    pub topic_options: Vec<(&'static str, &'static str)>,
    pub settings: Vec<&'static str>,
    pub seed: u64,
}

/// What a loop saw, beside that everything held.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrashReport {
    pub acknowledged: u64,
    pub disconnections: u64,
    pub refusals: u64,
    pub read: u64,
    /// Longest time from a kill to the next acknowledged record.
    pub longest_outage: Duration,
}

const TOPIC: &str = "crash";

/// One writer and one reader per partition; the writers take turns at idempotence.
struct Load {
    topic: String,
    writers: Vec<(bool, Running<Written>)>,
    readers: Vec<Running<Read>>,
}

impl Load {
    fn start(address: SocketAddr, topic: &str, partitions: i32) -> Load {
        let writers = (0..partitions).map(|partition| {
            let idempotent = partition % 2 == 0;
            let writing = Writing {
                topic: topic.to_owned(),
                partition,
                idempotent,
                acks: if idempotent { -1 } else { 1 },
                filler_bytes: 100 + 400 * (partition as usize % 3),
                pause: Duration::from_micros(300),
            };
            (idempotent, load::write(address, writing))
        });
        let writers = writers.collect();
        let readers = (0..partitions)
            .map(|p| load::read(address, topic, p))
            .collect();
        Load {
            topic: topic.to_owned(),
            writers,
            readers,
        }
    }

    /// Every writer gets this many more records acknowledged; false when one does not.
    fn wait_for_progress(&self, more: u64) -> bool {
        self.writers
            .iter()
            .all(|(_, writer)| writer.wait_for_progress(more))
    }

    /// Stops writers, lets readers reach the end, and holds all against the log.
    fn check(self, connection: &mut Connection, report: &mut CrashReport) {
        let written: Vec<(bool, Written)> = self
            .writers
            .into_iter()
            .map(|(idempotent, writer)| (idempotent, writer.finish()))
            .collect();
        for (partition, ((idempotent, written), reader)) in
            written.into_iter().zip(self.readers).enumerate()
        {
            let stored = load::read_whole(connection, &self.topic, partition as i32);
            println!(
                "partition {partition}: {} acknowledged, {} stored, {} disconnections, refusals {:?}",
                written.acknowledged_records(),
                stored.len(),
                written.disconnections,
                written.refusals
            );
            load::check(&stored, &written, idempotent);
            let caught_up = crate::node::wait_until(Duration::from_secs(20), || {
                reader.progress() >= stored.len() as u64
            });
            assert!(
                caught_up,
                "the reader of partition {partition} resumes and reaches the end"
            );
            let read = reader.finish();
            assert!(read.numbers == stored, "the reader saw what the log holds");
            report.acknowledged += written.acknowledged_records();
            report.disconnections += written.disconnections + read.disconnections;
            report.refusals += (written.refusals.len() + read.refusals.len()) as u64;
            report.read += read.numbers.len() as u64;
        }
    }
}

/// Runs a loop; panics on the first promise that does not hold.
pub fn run(plan: &CrashLoop) -> CrashReport {
    println!("seed {}", plan.seed);
    let mut node = Node::start(&plan.settings);
    node.connect()
        .create_topic(TOPIC, plan.partitions, &plan.topic_options)
        .expect("a topic to write to");
    let load = Load::start(node.address(), TOPIC, plan.partitions);
    let mut report = CrashReport::default();
    let mut random = plan.seed;
    assert!(
        load.wait_for_progress(200),
        "writers write before the first kill"
    );
    for number in 0..plan.kills {
        // A different moment each time, by a seeded walk.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(50_000 + (random >> 33) % 150_000));
        let killed = Instant::now();
        strike(&mut node, plan.victim);
        let back = load.wait_for_progress(200);
        assert!(
            back,
            "writers go on after kill {number} of {:?}",
            plan.victim
        );
        report.longest_outage = report.longest_outage.max(killed.elapsed());
    }
    load.check(&mut node.connect(), &mut report);
    assert!(node.stop().success(), "the node stops cleanly after it all");
    report
}

/// The same load with nobody killed, on any broker.
pub fn without_crashes(address: SocketAddr, time: Duration) -> CrashReport {
    let topic = format!("load-{}", crate::client::now_ms());
    let mut connection = Connection::open(address).expect("the broker takes a connection");
    connection
        .create_topic(&topic, 4, &[])
        .expect("a topic to write to");
    let load = Load::start(address, &topic, 4);
    std::thread::sleep(time);
    let mut report = CrashReport::default();
    load.check(&mut connection, &mut report);
    report
}

fn strike(node: &mut Node, victim: Victim) {
    match victim {
        Victim::DataPlane => node.kill_dataplane(),
        Victim::ControlPlane => node.kill_controlplane(),
        Victim::Everything => {
            node.kill_everything();
            node.serve();
        }
        Victim::Power => {
            node.kill_everything();
            node.lose_region();
            node.serve();
        }
    }
}
