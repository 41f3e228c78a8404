//! A control plane on a real region, and shards played by the test.

use precursor_bridge::{Bridge, BridgeOptions, DataPlane, DataPlaneView};
use precursor_config::NodeConfig;
use precursor_consensus::{Consensus, Options};
use precursor_coordinator::{Coordinator, CoordinatorOptions, GroupConfig};
use precursor_kafka_api::{Addresses, Api, Settings};
use precursor_metadata::{Broker, Command};
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::header::request_header;
use precursor_protocol::{ApiKey, header};
use precursor_shm::control::{FRAGMENT_LENGTH_MAX, Origin, PartitionImage, ToControl, ToData};
use precursor_shm::ring::{Consumer, Producer};
use precursor_shm::{Doorbell, DoorbellName, Hugepages, Region, RegionOptions};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub const SHARDS: u16 = 2;
const PATIENCE: Duration = Duration::from_secs(60);

/// Directories and region that outlive control planes.
pub struct Ground {
    directory: TempDir,
    pub region: Region,
}

impl Ground {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = RegionOptions {
            directory: Some(directory.path().join("region")),
            hugepages: Hugepages::Off,
            shards: SHARDS,
            pool_bytes: 8 << 20,
            buffer_bytes: 4 << 20,
            control_ring_bytes: 256 << 10,
            ..RegionOptions::new(1, directory.path().join("data"))
        };
        std::fs::create_dir_all(directory.path().join("region")).unwrap();
        let (region, _) = Region::create_or_attach(&options).unwrap();
        Ground { directory, region }
    }
}

/// A running control plane, on a thread of its own.
pub struct Plane {
    pub api: Arc<Api>,
    pub data_plane: DataPlane,
    /// Its thread's.
    pub runtime: tokio::runtime::Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Plane {
    pub fn start(ground: &Ground, auto_create_topics: bool) -> Self {
        let region = ground.region.clone();
        let options = Options {
            directory: ground.directory.path().join("controlplane"),
            node_id: 1,
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, made) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let consensus = open(&options).await;
                let broker = Broker {
                    id: 1,
                    host: String::new(),
                    port: 0,
                    rack: String::new(),
                };
                let name = Command::SetClusterId {
                    cluster_id: "cluster".into(),
                };
                consensus.propose(name).await.unwrap();
                consensus
                    .propose(Command::RegisterBroker { broker })
                    .await
                    .unwrap();
                let view = DataPlaneView::new(SHARDS);
                let (data_plane, calls) = DataPlane::new(SHARDS);
                let mut node = NodeConfig::default();
                node.num_partitions = 3;
                node.auto_create_topics = auto_create_topics;
                node.offsets_topic_partitions = 5;
                let settings = Settings {
                    shards: SHARDS,
                    node,
                };
                let node_options = settings.data_plane_options();
                let addresses = || Addresses {
                    kafka: Some(("127.0.0.1".into(), 9092)),
                    admin: Some("127.0.0.1:7".into()),
                    metrics: None,
                };
                let coordinator = Coordinator::new(
                    CoordinatorOptions {
                        node_id: 1,
                        shards: SHARDS,
                        groups: GroupConfig::default(),
                    },
                    consensus.clone(),
                    data_plane.clone(),
                    view.clone(),
                );
                let api = Api::new(
                    consensus.clone(),
                    view.clone(),
                    data_plane.clone(),
                    settings,
                    Arc::new(addresses),
                    coordinator,
                    Arc::default(),
                );
                let api = Arc::new(api);
                let generation = region.status().begin_control(std::process::id());
                let bridge = Bridge::new(BridgeOptions {
                    region,
                    consensus: consensus.clone(),
                    node_id: 1,
                    node_options,
                    generation,
                    view,
                    calls,
                })
                .unwrap();
                let runtime = tokio::runtime::Handle::current();
                ready.send((Arc::clone(&api), data_plane, runtime)).unwrap();
                let stopped = async move {
                    let _ = stopped.await;
                };
                bridge.run(api, stopped).await.unwrap();
                consensus.shutdown().await;
            });
        });
        let (api, data_plane, runtime) = made.recv_timeout(PATIENCE).unwrap();
        Plane {
            api,
            data_plane,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

/// Opens the log, once an earlier plane of this process has let go of it.
async fn open(options: &Options) -> Consensus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Consensus::open(options).await {
            Ok(consensus) => return consensus,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A topic as a shard has learnt it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownTopic {
    pub name: String,
    pub partition_count: u32,
    pub configs: BTreeMap<String, String>,
    pub partitions: BTreeMap<i32, PartitionImage>,
}

/// A shard: the data plane's ends of one pair of rings.
pub struct FakeShard {
    shard: u16,
    to_control: Producer,
    from_control: Consumer,
    control_bell: Doorbell,
    next_token: u64,
    /// Whether images are confirmed, as a live shard does.
    pub confirms: bool,
    pub topics: BTreeMap<TopicId, KnownTopic>,
    pub options: BTreeMap<String, String>,
    pub quotas: BTreeMap<String, String>,
    pub image_version: u64,
    pub full_images: usize,
    pub hellos: usize,
    unfinished: HashMap<u64, Vec<u8>>,
    pub responses: HashMap<u64, Vec<u8>>,
    pub ensured: HashMap<u64, Vec<(String, ErrorCode)>>,
    pub refused: Vec<u64>,
    /// What the control plane asked as the broker itself: token and frame.
    pub own_requests: Vec<(u64, Vec<u8>)>,
    /// Responses that wait for an own request: its token, theirs, and the frame.
    pub held: Vec<(u64, u64, Vec<u8>)>,
    /// Tokens of the questions about logs.
    pub described: Vec<u64>,
}

impl FakeShard {
    pub fn new(ground: &Ground, shard: u16) -> Self {
        let mut from_control = ground.region.to_data_consumer(shard);
        from_control.announce_awake();
        FakeShard {
            shard,
            to_control: ground.region.to_control_producer(shard),
            from_control,
            control_bell: ground.region.doorbell(DoorbellName::Control).unwrap(),
            next_token: 1,
            confirms: true,
            topics: BTreeMap::new(),
            options: BTreeMap::new(),
            quotas: BTreeMap::new(),
            image_version: 0,
            full_images: 0,
            hellos: 0,
            unfinished: HashMap::new(),
            responses: HashMap::new(),
            ensured: HashMap::new(),
            refused: Vec::new(),
            own_requests: Vec::new(),
            held: Vec::new(),
            described: Vec::new(),
        }
    }

    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        while self.to_control.try_push(&[bytes]).is_err() {
            if self.to_control.publish() {
                self.control_bell.ring();
            }
            assert!(Instant::now() < deadline, "the ring stays full");
            std::thread::sleep(Duration::from_micros(200));
        }
        if self.to_control.publish() {
            self.control_bell.ring();
        }
    }

    pub fn send(&mut self, message: &ToControl<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.push_bytes(&bytes);
    }

    pub fn hello(&mut self, generation: u64) {
        self.send(&ToControl::Hello {
            generation,
            shard: self.shard,
            shards: SHARDS,
        });
    }

    /// Forwards a request frame; returns its token.
    pub fn forward(&mut self, connection: u64, frame: &[u8]) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let mut pieces = frame.chunks(FRAGMENT_LENGTH_MAX).peekable();
        while let Some(bytes) = pieces.next() {
            self.send(&ToControl::Request {
                token,
                connection,
                last: pieces.peek().is_none(),
                origin: Origin {
                    peer: "127.0.0.1:5",
                    listener: "PLAINTEXT",
                    principal: "User:ANONYMOUS",
                    software_name: "tests",
                    software_version: "1",
                },
                bytes,
            });
        }
        token
    }

    pub fn ensure(&mut self, names: Vec<&str>) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.send(&ToControl::EnsureTopics { token, names });
        token
    }

    /// Answers an own request, in pieces of `piece` bytes.
    pub fn answer_own(&mut self, token: u64, frame: &[u8], piece: usize) {
        let mut pieces = frame.chunks(piece).peekable();
        if frame.is_empty() {
            let (last, bytes) = (true, frame);
            self.send(&ToControl::OwnResponse { token, last, bytes });
        }
        while let Some(bytes) = pieces.next() {
            let last = pieces.peek().is_none();
            self.send(&ToControl::OwnResponse { token, last, bytes });
        }
    }

    /// Reads what came; true when there was anything.
    pub fn pump(&mut self) -> bool {
        let mut any = false;
        loop {
            let message = match self.from_control.peek().unwrap() {
                None => return any,
                Some(bytes) => bytes.to_vec(),
            };
            self.from_control.release();
            any = true;
            self.handle(ToData::decode(&message).unwrap());
        }
    }

    fn handle(&mut self, message: ToData<'_>) {
        match message {
            ToData::Hello { .. } => {
                self.hellos += 1;
                self.unfinished.clear();
                self.hello(1);
            }
            ToData::Response { token, last, bytes } => {
                let frame = self.unfinished.entry(token).or_default();
                frame.extend_from_slice(bytes);
                if last {
                    let frame = self.unfinished.remove(&token).unwrap();
                    self.responses.insert(token, frame);
                }
            }
            ToData::Refused { token } => self.refused.push(token),
            ToData::TopicsEnsured { token, outcomes } => {
                let outcomes = outcomes.into_iter().map(|(name, e)| (name.to_owned(), e));
                self.ensured.insert(token, outcomes.collect());
            }
            ToData::ImageBegin { full, .. } => {
                if full {
                    self.full_images += 1;
                    self.topics.clear();
                    self.options.clear();
                    self.quotas.clear();
                }
            }
            ToData::Cluster { cluster_id, .. } => assert_eq!(cluster_id, "cluster"),
            ToData::Broker { id, port, .. } => assert_eq!((id, port), (1, 0)),
            ToData::Topic {
                id,
                name,
                partition_count,
                ..
            } => {
                let topic = self.topics.entry(id).or_default();
                *topic = KnownTopic {
                    name: name.to_owned(),
                    partition_count,
                    ..KnownTopic::default()
                };
            }
            ToData::TopicConfig { id, name, value } => {
                let configs = &mut self.topics.get_mut(&id).unwrap().configs;
                configs.insert(name.to_owned(), value.to_owned());
            }
            ToData::Partition(image) => {
                let topic = self.topics.get_mut(&image.topic).unwrap();
                topic.partitions.insert(image.partition, image);
            }
            ToData::OwnRequest { token, last, bytes } => {
                let frame = self.unfinished.entry(token).or_default();
                frame.extend_from_slice(bytes);
                if last {
                    let frame = self.unfinished.remove(&token).unwrap();
                    self.own_requests.push((token, frame));
                }
            }
            ToData::Held {
                own,
                token,
                last,
                bytes,
            } => {
                let frame = self.unfinished.entry(token).or_default();
                frame.extend_from_slice(bytes);
                if last {
                    let frame = self.unfinished.remove(&token).unwrap();
                    self.held.push((own, token, frame));
                }
            }
            ToData::DescribeLogs { token } => self.described.push(token),
            // What a shard makes of these is tested there.
            ToData::ClientQuota {
                user,
                client_id,
                limits,
            } => {
                let entity = format!("{user:?} {client_id:?}");
                if limits.is_empty() {
                    self.quotas.remove(&entity);
                } else {
                    self.quotas.insert(entity, format!("{limits:?}"));
                }
            }
            ToData::NodeOption { name, value } => {
                self.options.insert(name.to_owned(), value.to_owned());
            }
            ToData::TopicRemoved { id } => drop(self.topics.remove(&id)),
            ToData::ImageEnd { version } => {
                self.image_version = version;
                if self.confirms {
                    self.send(&ToControl::ImageApplied { version });
                }
            }
        }
    }
}

/// Reads on all shards until `done` holds of them.
pub fn pump_until(shards: &mut [FakeShard], done: impl Fn(&[FakeShard]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut any = false;
        for shard in shards.iter_mut() {
            any |= shard.pump();
        }
        if done(shards) {
            return;
        }
        assert!(Instant::now() < deadline, "it did not come");
        if !any {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

pub fn shards(ground: &Ground) -> Vec<FakeShard> {
    let mut shards: Vec<_> = (0..SHARDS)
        .map(|shard| FakeShard::new(ground, shard))
        .collect();
    for shard in &mut shards {
        shard.hello(1);
    }
    shards
}

/// Every shard has an image, and has confirmed it.
pub fn settle(plane: &Plane, shards: &mut [FakeShard]) {
    let api = &plane.api;
    pump_until(shards, |shards| {
        let version = api.consensus().read(|state| state.version());
        let view = api.data_plane().shards();
        shards
            .iter()
            .all(|shard| shard.image_version == version && shard.hellos > 0)
            && view.iter().all(|shard| shard.image_version == version)
    });
}

/// A request's frame.
pub fn frame(key: ApiKey, version: i16, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    request_header(&mut frame, key, version, 77, Some("test"));
    body(&mut frame);
    frame
}

/// Forwards a request through shard 0 and waits for the body of its answer.
pub fn call(
    shards: &mut [FakeShard],
    key: ApiKey,
    version: i16,
    body: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let token = shards[0].forward(1, &frame(key, version, body));
    pump_until(shards, |shards| shards[0].responses.contains_key(&token));
    let response = shards[0].responses.remove(&token).unwrap();
    let (correlation_id, body) = header::parse_response(&response, key, version).unwrap();
    assert_eq!(correlation_id, 77);
    body.to_vec()
}
