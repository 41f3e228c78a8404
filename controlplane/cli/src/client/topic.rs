//! Topics as a client sees them: partitions, leaders, offsets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::metadata_response::MetadataResponseTopic;
use precursor_protocol::messages::{ListOffsetsRequest, MetadataRequest};

use super::Connection;
use crate::failure::Failure;

/// ListOffsets' word for the end of a log.
pub const LATEST: i64 = -1;
/// ListOffsets' word for the start of a log.
pub const EARLIEST: i64 = -2;

/// How long a topic that is being created is waited for.
const LEADER_WAIT: Duration = Duration::from_secs(10);

/// A topic, its partitions' leaders, and connections to them.
pub struct Topic {
    pub name: String,
    /// Partition → leader's node id.
    leaders: BTreeMap<i32, i32>,
    connections: BTreeMap<i32, Connection>,
}

impl Topic {
    /// Finds a topic's leaders, and makes the topic when it is missing, `create` is set and the
    /// broker is willing.
    ///
    /// # Errors
    /// No broker, no such topic, or no leader within ten seconds.
    pub fn find(bootstrap: &Endpoint, name: &str, create: bool) -> Result<Topic, Failure> {
        let mut connection = Connection::open(bootstrap)?;
        let give_up = Instant::now() + LEADER_WAIT;
        loop {
            let (found, brokers) = metadata_of(&mut connection, name, create)?;
            let error = partition_error(&found);
            if error == ErrorCode::None {
                return Topic::connect(connection, name, &found, &brokers);
            }
            let transient = matches!(
                error,
                ErrorCode::LeaderNotAvailable | ErrorCode::UnknownTopicOrPartition
            );
            let hopeless = error == ErrorCode::UnknownTopicOrPartition && !create;
            if !transient || hopeless || Instant::now() > give_up {
                return Err(topic_failure(name, error));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(
        bootstrap: Connection,
        name: &str,
        found: &MetadataResponseTopic,
        brokers: &BTreeMap<i32, Endpoint>,
    ) -> Result<Topic, Failure> {
        let mut topic = Topic {
            name: name.to_owned(),
            leaders: BTreeMap::new(),
            connections: BTreeMap::new(),
        };
        let mut bootstrap = Some(bootstrap);
        for partition in &found.partitions {
            let leader = partition.leader_id;
            topic.leaders.insert(partition.partition_index, leader);
            if topic.connections.contains_key(&leader) {
                continue;
            }
            let endpoint = brokers.get(&leader).ok_or_else(|| {
                Failure::refused(format!("the broker does not say where node {leader} is"))
            })?;
            let same = |connection: &mut Connection| {
                connection.endpoint() == endpoint || brokers.len() == 1
            };
            let connection = match bootstrap.take_if(same) {
                Some(connection) => connection,
                None => Connection::open(endpoint)?,
            };
            topic.connections.insert(leader, connection);
        }
        Ok(topic)
    }

    /// The partitions' numbers, in order.
    pub fn partitions(&self) -> Vec<i32> {
        self.leaders.keys().copied().collect()
    }

    /// The nodes that lead some partition.
    pub fn leaders(&self) -> Vec<i32> {
        self.connections.keys().copied().collect()
    }

    /// The node that leads a partition.
    pub fn leader_of(&self, partition: i32) -> Option<i32> {
        self.leaders.get(&partition).copied()
    }

    /// The connection to a node of [`Topic::leaders`].
    ///
    /// # Errors
    /// The node leads nothing here.
    pub fn connection(&mut self, node: i32) -> Result<&mut Connection, Failure> {
        let found = self.connections.get_mut(&node);
        found.ok_or_else(|| Failure::new(format!("node {node} leads no partition")))
    }

    /// The connection to a partition's leader.
    ///
    /// # Errors
    /// There is no such partition.
    pub fn leader(&mut self, partition: i32) -> Result<&mut Connection, Failure> {
        let last = self.leaders.keys().next_back().copied().unwrap_or(0);
        let leader = self.leaders.get(&partition);
        leader
            .and_then(|leader| self.connections.get_mut(leader))
            .ok_or_else(|| {
                Failure::usage(format!(
                    "topic '{}' has no partition {partition}: its partitions are 0 to {last}",
                    self.name
                ))
                .next("Name one that is there: --partition N")
            })
    }

    /// The offset of the first record at or after a time in milliseconds, or of [`EARLIEST`] or
    /// [`LATEST`]; `None` when no record is that young.
    ///
    /// # Errors
    /// The broker refuses.
    pub fn offset_at(&mut self, partition: i32, timestamp: i64) -> Result<Option<i64>, Failure> {
        let name = self.name.clone();
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: name.clone(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: partition,
                    current_leader_epoch: -1,
                    timestamp,
                    ..ListOffsetsPartition::default()
                }],
                ..ListOffsetsTopic::default()
            }],
            ..ListOffsetsRequest::default()
        };
        let mut patience = Patience::default();
        loop {
            let response = self.leader(partition)?.call(&request)?;
            let answer = response
                .topics
                .first()
                .and_then(|topic| topic.partitions.first())
                .ok_or_else(|| Failure::refused("the broker left its answer empty"))?;
            match error_of(answer.error_code) {
                ErrorCode::None => return Ok((answer.offset >= 0).then_some(answer.offset)),
                error => patience.wait(&name, error)?,
            }
        }
    }
}

/// How long something that passes by itself is waited for: a partition whose log is being opened or
/// recovered, a leader that moves.
const PATIENCE: Duration = Duration::from_secs(30);

/// One wait for a partition, as often as it is asked.
#[derive(Debug, Default)]
pub struct Patience {
    began: Option<Instant>,
}

impl Patience {
    /// Waits a moment before the next attempt. None of these errors left anything written, so that
    /// trying again writes nothing twice.
    ///
    /// # Errors
    /// The error does not pass by itself, or has not passed for half a minute.
    pub fn wait(&mut self, topic: &str, error: ErrorCode) -> Result<(), Failure> {
        let passing = matches!(
            error,
            ErrorCode::NotLeaderOrFollower
                | ErrorCode::LeaderNotAvailable
                | ErrorCode::OffsetNotAvailable
                | ErrorCode::BrokerNotAvailable
        );
        let waited = self.began.get_or_insert_with(Instant::now).elapsed();
        if !passing || waited > PATIENCE {
            return Err(topic_failure(topic, error));
        }
        std::thread::sleep(Duration::from_millis(10));
        Ok(())
    }

    /// It passed.
    pub fn reset(&mut self) {
        self.began = None;
    }
}

/// The error of a code from the wire; a code that Kafka does not define is unknown.
pub fn error_of(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}

fn metadata_of(
    connection: &mut Connection,
    name: &str,
    create: bool,
) -> Result<(MetadataResponseTopic, BTreeMap<i32, Endpoint>), Failure> {
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(name.to_owned()),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: create,
        ..MetadataRequest::default()
    };
    let response = connection.call(&request)?;
    let brokers = response.brokers.into_iter().map(|broker| {
        let endpoint = Endpoint {
            host: broker.host,
            port: u16::try_from(broker.port).unwrap_or(0),
        };
        (broker.node_id, endpoint)
    });
    let found = response.topics.into_iter().next();
    let found = found.ok_or_else(|| Failure::refused("the broker left its answer empty"))?;
    Ok((found, brokers.collect()))
}

/// The topic's error, or else the first of its partitions'. A replica that is missing elsewhere
/// does not hinder a client of the leader.
fn partition_error(found: &MetadataResponseTopic) -> ErrorCode {
    let topic = error_of(found.error_code);
    let partitions = found.partitions.iter();
    let mut errors = partitions.map(|partition| error_of(partition.error_code));
    match topic {
        ErrorCode::None if found.partitions.is_empty() => ErrorCode::LeaderNotAvailable,
        ErrorCode::None => errors
            .find(|error| !matches!(error, ErrorCode::None | ErrorCode::ReplicaNotAvailable))
            .unwrap_or(ErrorCode::None),
        error => error,
    }
}

/// A broker's refusal that concerns a topic, with what to do about it.
pub fn topic_failure(name: &str, error: ErrorCode) -> Failure {
    let failure = Failure::refused(format!("topic '{name}': {error}"));
    match error {
        ErrorCode::UnknownTopicOrPartition => {
            Failure::refused(format!("there is no topic '{name}'")).next(format!(
                "Create it: precursor topic create {name} --partitions 1"
            ))
        }
        ErrorCode::InvalidTopicException => {
            Failure::refused(format!("'{name}' cannot be a topic's name"))
                .next("Names have 1 to 249 letters, digits, '.', '_' and '-'")
        }
        ErrorCode::MessageTooLarge => {
            failure.next("Send smaller batches (--batch), or raise the topic's max.message.bytes")
        }
        ErrorCode::OffsetOutOfRange => {
            failure.next("Begin where there are records: --from beginning or --from end")
        }
        ErrorCode::KafkaStorageError => {
            failure.next("Look at the broker's standard error: its disk may be full or failing")
        }
        _ => failure,
    }
}
