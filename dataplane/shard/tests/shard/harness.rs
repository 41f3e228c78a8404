//! A shard on a region of its own, a control plane that is a few lines, and clients.

use crate::unwatched::Unwatched;
use precursor_model::{ErrorCode, LogConfig, LogUid, TopicId};
use precursor_protocol::messages::{
    FetchRequest, FetchResponse, ProduceRequest, ProduceResponse,
    fetch_request::{FetchPartition, FetchTopic},
    produce_request::{PartitionProduceData, TopicProduceData},
};
use precursor_protocol::records::BatchBuilder;
use precursor_protocol::{ApiKey, header};
use precursor_shard::{IdlePolicy, PeerLinks, Shard, ShardOptions, ShardParts, peer_links};
use precursor_shm::control::{
    DirectoryDescription, LogDescription, Origin, PartitionImage, ToControl, ToData,
};
use precursor_shm::{Hugepages, Region, RegionOptions, ring};
use precursor_storage::StoreOptions;
use precursor_transport_port::Wait;
use precursor_transport_sim::{SimClient, SimFaults, SimNetwork};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub const ADDRESS: &str = "127.0.0.1:9092";
/// Longest that a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long a test leaves the processor to others between turns.
const SPUN: Duration = Duration::from_millis(5);

#[derive(Clone)]
pub struct FakeTopic {
    pub name: String,
    pub partitions: u32,
    /// Options that are not at their defaults.
    pub options: Vec<(String, String)>,
}

impl FakeTopic {
    fn new(name: &str, partitions: u32) -> FakeTopic {
        FakeTopic {
            name: name.to_owned(),
            partitions,
            options: Vec::new(),
        }
    }
}

/// What the pretended control plane knows and does.
pub struct FakeControl {
    /// The ends of each shard's rings.
    links: Vec<(ring::Consumer, ring::Producer)>,
    pub topics: Vec<FakeTopic>,
    pub version: u64,
    pub leader_epoch: i32,
    /// Requests that came whole: token and frame.
    pub requests: Vec<(u64, Vec<u8>)>,
    assembling: Vec<u8>,
    pub origin: String,
    pub software: String,
    pub hellos: usize,
    pub applied: u64,
    pub closed: Vec<u64>,
    /// While false, nothing is read: a control plane that is dead.
    pub alive: bool,
    pub makes_topics: bool,
    /// Logs that the shard said it serves.
    pub online: BTreeSet<LogUid>,
    /// Messages that go into every image.
    pub more: Vec<ToData<'static>>,
    /// Descriptions that came: token, the last ones, logs.
    pub descriptions: Vec<(u64, bool, Vec<LogDescription>)>,
    pub directories: Vec<(u64, Vec<DirectoryDescription>)>,
    own_pieces: BTreeMap<u64, Vec<u8>>,
    /// Answers to own requests, in the order in which they became whole.
    pub own_answers: Vec<(u64, Vec<u8>)>,
}

impl FakeControl {
    fn new(region: &Region, topics: &[(&str, u32)]) -> FakeControl {
        FakeControl {
            links: (0..region.shards())
                .map(|n| (region.to_control_consumer(n), region.to_data_producer(n)))
                .collect(),
            topics: topics
                .iter()
                .map(|(name, partitions)| FakeTopic::new(name, *partitions))
                .collect(),
            version: 0,
            leader_epoch: 0,
            requests: Vec::new(),
            assembling: Vec::new(),
            origin: String::new(),
            software: String::new(),
            hellos: 0,
            applied: 0,
            closed: Vec::new(),
            alive: true,
            makes_topics: true,
            online: BTreeSet::new(),
            more: Vec::new(),
            descriptions: Vec::new(),
            directories: Vec::new(),
            own_pieces: BTreeMap::new(),
            own_answers: Vec::new(),
        }
    }

    /// Every shard gets every message; an answer to another shard's token is nobody's.
    pub fn send(&mut self, message: &ToData<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        for (_, producer) in &mut self.links {
            producer.try_push(&[&bytes]).expect("the ring has room");
            let _ = producer.publish();
        }
    }

    pub fn answer(&mut self, token: u64, frame: &[u8]) {
        let mut fragments = frame.chunks(1_000).peekable();
        while let Some(bytes) = fragments.next() {
            let last = fragments.peek().is_none();
            self.send(&ToData::Response { token, last, bytes });
        }
    }

    /// Asks the shards as the broker itself, in pieces of `piece` bytes.
    pub fn ask(&mut self, token: u64, key: ApiKey, version: i16, body: &[u8], piece: usize) {
        let mut frame = Vec::new();
        header::request_header(&mut frame, key, version, token as i32, None);
        frame.extend_from_slice(body);
        let mut pieces = frame.chunks(piece).peekable();
        while let Some(bytes) = pieces.next() {
            let last = pieces.peek().is_none();
            self.send(&ToData::OwnRequest { token, last, bytes });
        }
    }

    pub fn refuse(&mut self, token: u64) {
        self.send(&ToData::Refused { token });
    }

    /// A new life: everything that was asked before is forgotten.
    pub fn restart(&mut self) {
        self.requests.clear();
        self.assembling.clear();
        self.send(&ToData::Hello {
            generation: self.version + 1,
        });
    }

    pub fn topic_id(name: &str) -> TopicId {
        let mut id = [7; 16];
        let length = name.len().min(15);
        id[..length].copy_from_slice(&name.as_bytes()[..length]);
        TopicId(id)
    }

    pub fn send_image(&mut self) {
        self.version += 1;
        let version = self.version;
        self.send(&ToData::ImageBegin {
            version,
            full: true,
        });
        self.send(&ToData::Cluster {
            cluster_id: "test-cluster",
            controller_id: 1,
            node_id: 1,
        });
        self.send(&ToData::Broker {
            id: 1,
            host: "",
            port: 0,
            rack: "",
        });
        let topics = self.topics.clone();
        for (number, topic) in topics.iter().enumerate() {
            let FakeTopic {
                name,
                partitions,
                options,
            } = topic;
            let id = Self::topic_id(name);
            self.send(&ToData::Topic {
                id,
                name,
                internal: name.starts_with("__"),
                partition_count: *partitions,
            });
            for (name, value) in options {
                self.send(&ToData::TopicConfig { id, name, value });
            }
            for partition in 0..*partitions {
                self.send(&ToData::Partition(PartitionImage {
                    topic: id,
                    partition: partition as i32,
                    log: Some(LogUid(number as u64 * 1_000 + u64::from(partition) + 1)),
                    shard: (partition as usize % self.links.len()) as u16,
                    leader: 1,
                    leader_epoch: self.leader_epoch,
                    replicas: vec![1],
                    isr: vec![1],
                    offline: vec![],
                }));
            }
        }
        for message in self.more.clone() {
            self.send(&message);
        }
        self.send(&ToData::ImageEnd { version });
    }

    fn pump(&mut self) {
        for shard in 0..self.links.len() {
            self.pump_shard(shard);
        }
    }

    fn pump_shard(&mut self, shard: usize) {
        while self.alive {
            let consumer = &mut self.links[shard].0;
            let message = match consumer.peek() {
                Ok(Some(bytes)) => bytes.to_vec(),
                Ok(None) => return,
                Err(error) => panic!("{error}"),
            };
            consumer.release();
            match ToControl::decode(&message).expect("a message that can be read") {
                ToControl::Hello { .. } => {
                    self.hellos += 1;
                    self.send_image();
                }
                ToControl::Request {
                    token,
                    last,
                    origin,
                    bytes,
                    ..
                } => {
                    let Origin {
                        peer,
                        listener,
                        principal,
                        software_name,
                        software_version,
                    } = origin;
                    self.origin = format!("{peer} {listener} {principal}");
                    self.software = format!("{software_name} {software_version}");
                    self.assembling.extend_from_slice(bytes);
                    if last {
                        let frame = std::mem::take(&mut self.assembling);
                        self.requests.push((token, frame));
                    }
                }
                ToControl::EnsureTopics { token, names } => self.ensure(token, &names),
                ToControl::ImageApplied { version } => self.applied = version,
                ToControl::LogState { log, error: None } => drop(self.online.insert(log)),
                ToControl::LogState { log, .. } => drop(self.online.remove(&log)),
                ToControl::LogDescriptions {
                    token,
                    last,
                    entries,
                } => self.descriptions.push((token, last, entries)),
                ToControl::DirectoryDescriptions { token, directories } => {
                    self.directories.push((token, directories));
                }
                ToControl::ConnectionClosed { connection } => self.closed.push(connection),
                ToControl::OwnResponse { token, last, bytes } => {
                    let pieces = self.own_pieces.entry(token).or_default();
                    pieces.extend_from_slice(bytes);
                    if last && let Some(whole) = self.own_pieces.remove(&token) {
                        self.own_answers.push((token, whole));
                    }
                }
            }
        }
    }

    fn ensure(&mut self, token: u64, names: &[&str]) {
        let mut outcomes = Vec::new();
        for name in names {
            if self.makes_topics {
                self.topics.push(FakeTopic::new(name, 1));
                outcomes.push((*name, ErrorCode::None));
            } else {
                outcomes.push((*name, ErrorCode::PolicyViolation));
            }
        }
        self.send_image();
        self.send(&ToData::TopicsEnsured { token, outcomes });
    }
}

/// A broker of one shard.
pub struct Broker {
    pub region: Region,
    pub network: SimNetwork,
    pub shard: Shard<Unwatched>,
    /// Shards besides the first; they get connections too.
    others: Vec<Shard<Unwatched>>,
    pub control: FakeControl,
    _directory: tempfile::TempDir,
}

impl Broker {
    /// A broker with these topics, serving.
    pub fn start(topics: &[(&str, u32)]) -> Broker {
        Self::start_with(topics, 1, SimFaults::default(), |_| {})
    }

    /// A broker of several shards; connections go to them in turn.
    pub fn start_shards(topics: &[(&str, u32)], shards: u16) -> Broker {
        Self::build(
            topics,
            shards,
            SimNetwork::new(1, SimFaults::default()),
            |_| {},
        )
    }

    pub fn start_with(
        topics: &[(&str, u32)],
        seed: u64,
        faults: SimFaults,
        adjust: impl Fn(&mut ShardOptions),
    ) -> Broker {
        Self::build(topics, 1, SimNetwork::new(seed, faults), adjust)
    }

    fn build(
        topics: &[(&str, u32)],
        shards: u16,
        network: SimNetwork,
        adjust: impl Fn(&mut ShardOptions),
    ) -> Broker {
        let directory = tempfile::tempdir().unwrap();
        let region_options = RegionOptions {
            directory: Some(directory.path().join("region")),
            hugepages: Hugepages::Off,
            shards,
            pool_bytes: 64 << 20,
            buffer_bytes: 16 << 20,
            ..RegionOptions::new(1, directory.path().join("data"))
        };
        std::fs::create_dir_all(directory.path().join("region")).unwrap();
        let (region, _) = Region::create_or_attach(&region_options).unwrap();
        let address: SocketAddr = ADDRESS.parse().unwrap();
        let start = |(number, peers): (u16, PeerLinks)| {
            let mut options = ShardOptions {
                shard: number,
                shards,
                idle: IdlePolicy::Busy,
                topic_defaults: LogConfig::default(),
                ..ShardOptions::new(address)
            };
            adjust(&mut options);
            let parts = ShardParts {
                transport: Unwatched::new(network.transport(options.connections_max)),
                region: region.clone(),
                store: StoreOptions {
                    checkpoint_interval_ms: 50,
                    ..StoreOptions::new(directory.path().join("data"), number)
                },
                listen: address,
                peers,
            };
            Shard::new(options, parts).unwrap()
        };
        let control = FakeControl::new(&region, topics);
        let mut all: Vec<_> = (0..shards).zip(peer_links(shards)).map(start).collect();
        let mut broker = Broker {
            shard: all.remove(0),
            others: all,
            region,
            network,
            control,
            _directory: directory,
        };
        let logs: u32 = topics.iter().map(|(_, partitions)| partitions).sum();
        broker.until("serving", |broker| {
            broker.shard.is_listening()
                && broker.others.iter().all(Shard::is_listening)
                && broker.control.online.len() == logs as usize
        });
        broker
    }

    pub fn connect(&self) -> Client {
        Client {
            socket: self.network.connect(ADDRESS.parse().unwrap()),
            received: Vec::new(),
            correlation_id: 0,
            id: "test",
            closed: false,
        }
    }

    pub fn turn(&mut self) {
        self.shard.turn(Wait::AtMost(Duration::ZERO)).unwrap();
        for shard in &mut self.others {
            shard.turn(Wait::AtMost(Duration::ZERO)).unwrap();
        }
        self.network.advance(Duration::from_micros(1));
        self.control.pump();
    }

    pub fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.turn();
        }
    }

    /// Publishes what the control plane knows, and turns until it is in force.
    pub fn publish(&mut self) {
        self.control.send_image();
        let version = self.control.version;
        self.until("the image", |broker| {
            (0..broker.region.shards())
                .all(|shard| broker.region.stats(shard).image_version.get() == version)
        });
    }

    /// Turns until `done`.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Broker) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "waited too long for: {what}");
            self.turn();
            if begun.elapsed() > SPUN {
                // Other threads, which give way to this one, may have work.
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Sends a request and turns until its response has come; its body.
    pub fn call(&mut self, client: &mut Client, key: ApiKey, version: i16, body: &[u8]) -> Vec<u8> {
        let id = client.send(self, key, version, body);
        client.expect(self, key, version, id)
    }

    pub fn produce(
        &mut self,
        client: &mut Client,
        version: i16,
        topic: &str,
        partition: i32,
        records: &[u8],
    ) -> ProduceResponse {
        let body = produce_body(version, 1, &[(topic, partition, records)]);
        let body = self.call(client, ApiKey::Produce, version, &body);
        ProduceResponse::decode(&body, version).unwrap()
    }

    pub fn fetch(
        &mut self,
        client: &mut Client,
        version: i16,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> FetchResponse {
        let body = fetch_body(version, 0, 1, &[(topic, partition, offset)]);
        let body = self.call(client, ApiKey::Fetch, version, &body);
        FetchResponse::decode(&body, version).unwrap()
    }
}

/// A client of the simulated network.
pub struct Client {
    pub socket: SimClient,
    pub received: Vec<u8>,
    correlation_id: i32,
    /// The client id that its requests name.
    pub id: &'static str,
    pub closed: bool,
}

impl Client {
    pub fn frame(&mut self, key: ApiKey, version: i16, body: &[u8]) -> (i32, Vec<u8>) {
        self.correlation_id += 1;
        let mut frame = vec![0; 4];
        let id = self.correlation_id;
        header::request_header(&mut frame, key, version, id, Some(self.id));
        frame.extend_from_slice(body);
        let length = (frame.len() - 4) as u32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        (id, frame)
    }

    /// Sends raw bytes, turning while the network is full.
    pub fn send_bytes(&mut self, broker: &mut Broker, bytes: &[u8]) {
        let begun = Instant::now();
        let mut sent = 0;
        while sent < bytes.len() && !self.closed {
            sent += self.socket.send(&bytes[sent..]);
            broker.turn();
            self.poll();
            assert!(begun.elapsed() < PATIENCE, "waited too long to send");
        }
    }

    pub fn send(&mut self, broker: &mut Broker, key: ApiKey, version: i16, body: &[u8]) -> i32 {
        let (id, frame) = self.frame(key, version, body);
        self.send_bytes(broker, &frame);
        id
    }

    pub fn poll(&mut self) {
        self.closed |= self.socket.receive_all(&mut self.received);
    }

    /// A whole response frame, if one is there.
    pub fn take_frame(&mut self) -> Option<Vec<u8>> {
        self.poll();
        let length = u32::from_be_bytes(*self.received.first_chunk()?) as usize;
        if self.received.len() < 4 + length {
            return None;
        }
        let rest = self.received.split_off(4 + length);
        let frame = std::mem::replace(&mut self.received, rest);
        Some(frame[4..].to_vec())
    }

    /// Turns until the next response has come; it must be the one to `id`. Its body.
    pub fn expect(&mut self, broker: &mut Broker, key: ApiKey, version: i16, id: i32) -> Vec<u8> {
        let mut frame = None;
        broker.until("a response", |_| {
            frame = self.take_frame();
            assert!(
                frame.is_some() || !self.closed,
                "closed instead of answered"
            );
            frame.is_some()
        });
        let frame = frame.unwrap();
        let (answered, body) = header::parse_response(&frame, key, version).unwrap();
        assert_eq!(answered, id, "answers come in the order of the requests");
        body.to_vec()
    }

    pub fn expect_close(&mut self, broker: &mut Broker) {
        broker.until("the connection's end", |_| {
            self.poll();
            self.closed
        });
    }
}

/// One batch of records with these values.
pub fn batch(values: &[&[u8]]) -> Vec<u8> {
    build(BatchBuilder::new(), values)
}

/// The same from an idempotent producer.
pub fn producer_batch(values: &[&[u8]], id: i64, epoch: i16, sequence: i32) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.set_producer(id, epoch, sequence);
    build(builder, values)
}

fn build(mut builder: BatchBuilder, values: &[&[u8]]) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for value in values {
        builder.append(now.as_millis() as i64, None, Some(value), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

pub fn produce_body(version: i16, acks: i16, partitions: &[(&str, i32, &[u8])]) -> Vec<u8> {
    let request = ProduceRequest {
        acks,
        timeout_ms: 60_000,
        topic_data: partitions
            .iter()
            .map(|(topic, index, records)| TopicProduceData {
                name: topic.to_string(),
                partition_data: vec![PartitionProduceData {
                    index: *index,
                    records: Some(records.to_vec()),
                    ..PartitionProduceData::default()
                }],
                ..TopicProduceData::default()
            })
            .collect(),
        ..ProduceRequest::default()
    };
    let mut out = Vec::new();
    request.encode(&mut out, version).unwrap();
    out
}

pub fn fetch_request(
    version: i16,
    max_wait_ms: i32,
    min_bytes: i32,
    partitions: &[(&str, i32, i64)],
) -> FetchRequest {
    FetchRequest {
        max_wait_ms,
        min_bytes,
        max_bytes: 50 << 20,
        topics: partitions
            .iter()
            .map(|(topic, partition, offset)| FetchTopic {
                topic: topic.to_string(),
                partitions: vec![FetchPartition {
                    partition: *partition,
                    fetch_offset: *offset,
                    partition_max_bytes: 1 << 20,
                    log_start_offset: if version >= 5 { 0 } else { -1 },
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            })
            .collect(),
        ..FetchRequest::default()
    }
}

pub fn fetch_body(
    version: i16,
    max_wait_ms: i32,
    min_bytes: i32,
    partitions: &[(&str, i32, i64)],
) -> Vec<u8> {
    let request = fetch_request(version, max_wait_ms, min_bytes, partitions);
    let mut out = Vec::new();
    request.encode(&mut out, version).unwrap();
    out
}

/// What a broker stores of a batch: as it came, but for base offset and leader epoch.
pub fn stored(records: &[u8], base_offset: i64, leader_epoch: i32) -> Vec<u8> {
    let mut stored = records.to_vec();
    stored[..8].copy_from_slice(&base_offset.to_be_bytes());
    stored[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    stored
}
