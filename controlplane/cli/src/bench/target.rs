//! What is measured: a broker with a topic, or a ceiling.

use std::io;
use std::net::SocketAddr;

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::CreateTopicsRequest;
use precursor_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};

use super::arguments::{BenchArguments, Kind};
use super::process_cpu;
use super::server::{NULL_TOPIC, Server};
use super::undo::Undo;
use crate::admin::Admin;
use crate::client::topic::{EARLIEST, LATEST, Topic, error_of, topic_failure};
use crate::client::{Connection, parse_endpoint};
use crate::common::CommonArguments;
use crate::failure::Failure;

/// A partition and the offsets that it holds.
#[derive(Clone, Copy, Debug)]
pub struct PartitionRange {
    pub index: i32,
    pub start: i64,
    pub end: i64,
}

/// What a measurement talks to.
pub struct Target {
    pub address: SocketAddr,
    pub topic: String,
    partitions: Vec<PartitionRange>,
    /// Processes whose processor time is watched, by their names.
    pub processes: Vec<(String, u32)>,
    pub undo: Undo,
}

impl Target {
    /// A ceiling's process.
    pub fn ceiling(kind: Kind, server: &Server) -> Target {
        Target::at(server.address, kind, server.pid())
    }

    /// A null target or an echo at this address, in this process.
    pub fn at(address: SocketAddr, kind: Kind, pid: u32) -> Target {
        Target {
            address,
            topic: NULL_TOPIC.to_owned(),
            partitions: vec![PartitionRange {
                index: 0,
                start: 0,
                end: i64::MAX,
            }],
            processes: vec![(kind.name().to_owned(), pid)],
            undo: Undo::nothing(),
        }
    }

    /// The broker at --bootstrap. The topic is made when it is absent and deleted in the end; for
    /// fetch `fill` writes into it first.
    ///
    /// # Errors
    /// No broker, or it refuses the topic.
    pub fn broker(
        common: &CommonArguments,
        arguments: &BenchArguments,
        fill: impl FnOnce(&Target) -> Result<(), Failure>,
    ) -> Result<Target, Failure> {
        let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
        let name = match &arguments.topic {
            Some(name) => name.clone(),
            None => format!("precursor-bench-{}", std::process::id()),
        };
        let created = create_topic(&bootstrap, &name, arguments)?;
        let mut target = Target {
            address: resolve(&bootstrap)?,
            topic: name,
            partitions: Vec::new(),
            processes: processes_of_broker(common, arguments),
            undo: Undo::nothing(),
        };
        if created {
            target.undo.delete_topic(&bootstrap, &target.topic);
        }
        target
            .undo
            .on_interrupt()
            .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
        target.look(&bootstrap)?;
        if created && arguments.what == Kind::Fetch {
            fill(&target)?;
            target.look(&bootstrap)?;
        }
        Ok(target)
    }

    /// The number of partitions.
    pub fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// The partition of a connection.
    pub fn partition(&self, connection: usize) -> PartitionRange {
        self.partitions[connection % self.partitions.len()]
    }

    pub fn unreachable(&self, error: &io::Error) -> Failure {
        Failure::unreachable(format!("nothing answers at {}: {error}", self.address))
    }

    /// Processor seconds of the watched processes so far.
    pub fn cpu_seconds(&self) -> Vec<Option<f64>> {
        let pids = self.processes.iter().map(|(_, pid)| *pid);
        pids.map(process_cpu::cpu_seconds).collect()
    }

    /// What the watched processes have used since.
    pub fn cpu_since(&self, before: &[Option<f64>]) -> Vec<(String, f64)> {
        let now = self.cpu_seconds();
        let spent = self.processes.iter().zip(now.iter().zip(before));
        spent
            .filter_map(|((name, _), (now, before))| Some((name.clone(), (*now)? - (*before)?)))
            .collect()
    }

    /// Learns partitions, their offsets and the leader's address.
    fn look(&mut self, bootstrap: &Endpoint) -> Result<(), Failure> {
        let mut topic = Topic::find(bootstrap, &self.topic, false)?;
        self.partitions.clear();
        for index in topic.partitions() {
            self.partitions.push(PartitionRange {
                index,
                start: topic.offset_at(index, EARLIEST)?.unwrap_or(0),
                end: topic.offset_at(index, LATEST)?.unwrap_or(0),
            });
        }
        if topic.leaders().len() > 1 {
            return Err(Failure::usage(
                "a measurement needs a topic whose partitions have one leader",
            ));
        }
        let first = self
            .partitions
            .first()
            .map_or(0, |partition| partition.index);
        self.address = resolve(topic.leader(first)?.endpoint())?;
        Ok(())
    }

    /// Stops the watched processes, so that a busy-polling broker does not take a ceiling's
    /// processor; [`Undo::resume`] lets them go on.
    pub fn pause(&self) {
        self.undo.stop(self.processes.iter().map(|(_, pid)| *pid));
    }
}

fn resolve(endpoint: &Endpoint) -> Result<SocketAddr, Failure> {
    endpoint.resolve().map_err(|error| {
        Failure::unreachable(format!(
            "the broker's address {endpoint} is unknown: {error}"
        ))
    })
}

/// Makes the topic; returns whether it was absent.
fn create_topic(
    bootstrap: &Endpoint,
    name: &str,
    arguments: &BenchArguments,
) -> Result<bool, Failure> {
    let configs = arguments.topic_configs.iter();
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: name.to_owned(),
            num_partitions: arguments.partitions,
            replication_factor: 1,
            configs: configs
                .map(|(name, value)| CreatableTopicConfig {
                    name: name.clone(),
                    value: Some(value.clone()),
                    ..CreatableTopicConfig::default()
                })
                .collect(),
            ..CreatableTopic::default()
        }],
        timeout_ms: 10_000,
        ..CreateTopicsRequest::default()
    };
    let response = Connection::open(bootstrap)?.call(&request)?;
    let answer = response.topics.first();
    let answer = answer.ok_or_else(|| Failure::refused("the broker left its answer empty"))?;
    match (error_of(answer.error_code), &answer.error_message) {
        (ErrorCode::None, _) => Ok(true),
        (ErrorCode::TopicAlreadyExists, _) => Ok(false),
        (error, None) => Err(topic_failure(name, error)),
        (error, Some(message)) => Err(Failure::refused(format!(
            "topic '{name}': {message} ({})",
            error.name()
        ))),
    }
}

/// The processes whose processor time is the broker's: named by --pid, or else told by a control
/// plane on this machine.
fn processes_of_broker(common: &CommonArguments, arguments: &BenchArguments) -> Vec<(String, u32)> {
    if !arguments.pids.is_empty() {
        let named = arguments.pids.iter();
        return named.map(|pid| (format!("pid {pid}"), *pid)).collect();
    }
    let status = Admin::connect(common).and_then(|admin| admin.status());
    let Ok(Some(node)) = status.map(|status| status.node) else {
        return Vec::new();
    };
    let data = node.data_plane.map_or(0, |plane| plane.process_id);
    let control = node.control_plane.map_or(0, |plane| plane.process_id);
    // The broker may be on another machine, where its pids mean something else than here.
    let here = |pid: u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.starts_with("precursor"))
    };
    [("data plane", data), ("control plane", control)]
        .into_iter()
        .filter(|(_, pid)| here(*pid))
        .map(|(name, pid)| (name.to_owned(), pid))
        .collect()
}
