//! Which partitions are coordinated here, and the way to each.

use crate::log::PartitionLog;
use crate::partition::{Answered, Caller, Message, PartitionParts, PartitionTask};
use precursor_bridge::{DataPlane, DataPlaneView, PartitionPlace};
use precursor_consensus::Consensus;
use precursor_groups::{GroupConfig, Request, RequestContext, Response};
use precursor_metadata::{Change, Metadata};
use precursor_model::{ErrorCode, LogUid, OFFSETS_TOPIC, TopicId, coordinator_partition};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// Partitions that read their logs at a time: more would not be faster, only larger.
const LOADS_MAX: usize = 8;

/// How groups are coordinated on this broker.
#[derive(Clone, Debug)]
pub struct CoordinatorOptions {
    pub node_id: i32,
    /// Shards of this node's data plane.
    pub shards: u16,
    pub groups: GroupConfig,
}

/// Who sends a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    /// The address without the port.
    pub host: String,
}

/// How an answer may leave sooner than its coordinator hears that the append it waits for succeeded:
/// the shard that appends sends it, if the request came from there.
pub struct Early {
    /// Where the request came from.
    pub shard: u16,
    /// Names the request there.
    pub token: u64,
    /// Makes the whole response frame of the coordinator's answer; `None`: this one cannot be made.
    pub frame: MakeFrame,
}

type MakeFrame = Box<dyn FnOnce(&Response) -> Option<Vec<u8>> + Send>;

/// The coordinators of this broker; clones share them.
#[derive(Clone)]
pub struct Coordinator {
    shared: Arc<Shared>,
}

struct Shared {
    options: CoordinatorOptions,
    consensus: Consensus,
    data_plane: DataPlane,
    view: DataPlaneView,
    partitions: Mutex<Partitions>,
    loads: Arc<Semaphore>,
    gauge: Arc<LoadGauge>,
}

/// The tasks by partition, as of one version of the metadata.
#[derive(Default)]
struct Partitions {
    /// Of the topic, led here or not; 0: there is no topic.
    count: usize,
    tasks: BTreeMap<usize, Task>,
}

/// A running partition; its task ends when this is dropped.
struct Task {
    leadership: Leadership,
    inbox: mpsc::UnboundedSender<Message>,
}

/// What a task depends on: with another one of these, its partition is loaded anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leadership {
    log: LogUid,
    leader_epoch: i32,
    shard: u16,
}

/// Of the topic: its number of partitions, and those that this broker leads.
#[derive(Default)]
struct Led {
    count: usize,
    partitions: BTreeMap<usize, Leadership>,
}

/// Counts partitions that load, to say once when all have.
#[derive(Debug)]
pub(crate) struct LoadGauge {
    loading: AtomicUsize,
    partitions: AtomicUsize,
    records: AtomicU64,
    began: Mutex<Instant>,
}

impl LoadGauge {
    pub fn new() -> Self {
        LoadGauge {
            loading: AtomicUsize::new(0),
            partitions: AtomicUsize::new(0),
            records: AtomicU64::new(0),
            began: Mutex::new(Instant::now()),
        }
    }

    pub fn begin(&self) {
        if self.loading.fetch_add(1, Ordering::Relaxed) == 0 {
            self.partitions.store(0, Ordering::Relaxed);
            self.records.store(0, Ordering::Relaxed);
            *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    /// A partition is loaded, or will not be.
    pub fn end(&self, records: u64) {
        self.partitions.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
        if self.loading.fetch_sub(1, Ordering::Relaxed) == 1 {
            let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
            let records = self.records.load(Ordering::Relaxed);
            let partitions = self.partitions.load(Ordering::Relaxed);
            let ms = began.elapsed().as_millis() as u64;
            tracing::info!(partitions, records, ms, "groups are loaded");
        }
    }

    fn loading(&self) -> usize {
        self.loading.load(Ordering::Relaxed)
    }
}

impl Coordinator {
    pub fn new(
        options: CoordinatorOptions,
        consensus: Consensus,
        data_plane: DataPlane,
        view: DataPlaneView,
    ) -> Self {
        let shared = Shared {
            options,
            consensus,
            data_plane,
            view,
            partitions: Mutex::default(),
            loads: Arc::new(Semaphore::new(LOADS_MAX)),
            gauge: Arc::new(LoadGauge::new()),
        };
        Coordinator {
            shared: Arc::new(shared),
        }
    }

    /// Follows the metadata and the data plane until `stop` is ready. Without it nothing is
    /// coordinated.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut changes = self.shared.consensus.subscribe();
        let mut data_planes = self.shared.view.watch();
        let mut generation = self.shared.view.generation();
        let mut topics = self.topic_names();
        self.follow();
        loop {
            tokio::select! {
                () = &mut stop => break,
                changed = changes.recv() => match changed {
                    Ok(changed) => self.changed(&changed, &mut topics),
                    Err(RecvError::Lagged(_)) => self.changed(&[Change::Everything], &mut topics),
                    Err(RecvError::Closed) => break,
                },
                Ok(()) = data_planes.changed() => {
                    let present = self.shared.view.generation();
                    if present != generation {
                        generation = present;
                        self.tell_all(|| Message::DataPlaneRestarted);
                    }
                }
            }
        }
        self.partitions().tasks.clear();
    }

    fn topic_names(&self) -> HashMap<TopicId, String> {
        let names = |state: &Metadata| {
            let topics = state.topics();
            topics.map(|topic| (topic.id, topic.name.clone())).collect()
        };
        self.shared.consensus.read(names)
    }

    fn changed(&self, changes: &[Change], topics: &mut HashMap<TopicId, String>) {
        let concerns = |change: &Change| {
            matches!(
                change,
                Change::Topic(_) | Change::TopicRemoved(_) | Change::Everything
            )
        };
        if !changes.iter().any(concerns) {
            return;
        }
        self.follow();
        let mut removed = Vec::new();
        for change in changes {
            match change {
                Change::TopicRemoved(id) => removed.extend(topics.remove(id)),
                Change::Topic(id) => {
                    let name = |state: &Metadata| state.topic(*id).map(|topic| topic.name.clone());
                    if let Some(name) = self.shared.consensus.read(name) {
                        topics.insert(*id, name);
                    }
                }
                Change::Everything => {
                    let mut before = std::mem::replace(topics, self.topic_names());
                    before.retain(|id, _| !topics.contains_key(id));
                    removed.extend(before.into_values());
                }
                Change::Cluster | Change::Broker(_) | Change::Configs(_) | Change::Quota(_) => {}
            }
        }
        if !removed.is_empty() {
            let removed: Arc<[String]> = removed.into();
            self.tell_all(|| Message::TopicsDeleted(Arc::clone(&removed)));
        }
    }

    fn tell_all(&self, message: impl Fn() -> Message) {
        for task in self.partitions().tasks.values() {
            // A task ends only after this end of its inbox is gone.
            let _ = task.inbox.send(message());
        }
    }

    /// Makes the tasks be those of the partitions that this broker leads now.
    fn follow(&self) {
        let mut partitions = self.partitions();
        let led = self.shared.consensus.read(|state| self.led(state));
        let led = led.unwrap_or_default();
        partitions.count = led.count;
        partitions
            .tasks
            .retain(|index, task| led.partitions.get(index) == Some(&task.leadership));
        for (index, leadership) in led.partitions {
            let start = || Task {
                leadership,
                inbox: self.start(index, leadership.shard),
            };
            partitions.tasks.entry(index).or_insert_with(start);
        }
    }

    fn led(&self, state: &Metadata) -> Option<Led> {
        let options = &self.shared.options;
        let topic = state.topic_named(OFFSETS_TOPIC)?;
        let led = topic.partitions.iter().enumerate();
        let led = led.filter(|(_, partition)| partition.leader == options.node_id);
        let led = led.filter_map(|(index, partition)| {
            let mut replicas = partition.replicas.iter();
            let local = replicas.find(|replica| replica.broker == options.node_id)?;
            let leadership = Leadership {
                log: local.log,
                leader_epoch: partition.leader_epoch,
                // As in the data plane's image.
                shard: local.shard % options.shards.max(1),
            };
            Some((index, leadership))
        });
        Some(Led {
            count: topic.partitions.len(),
            partitions: led.collect(),
        })
    }

    fn start(&self, index: usize, shard: u16) -> mpsc::UnboundedSender<Message> {
        let (sender, inbox) = mpsc::unbounded_channel();
        let log = PartitionLog {
            data_plane: self.shared.data_plane.clone(),
            place: PartitionPlace {
                shard,
                topic: OFFSETS_TOPIC.to_owned(),
                partition: index as i32,
            },
        };
        self.shared.gauge.begin();
        let task = PartitionTask::new(PartitionParts {
            log,
            config: self.shared.options.groups.clone(),
            inbox,
            loads: Arc::clone(&self.shared.loads),
            gauge: Arc::clone(&self.shared.gauge),
        });
        tokio::spawn(task.run());
        sender
    }

    /// The partition that a group belongs to.
    ///
    /// # Errors
    /// There is no topic yet.
    pub fn partition_of(&self, group_id: &str) -> Result<usize, ErrorCode> {
        match self.partitions().count {
            0 => Err(ErrorCode::CoordinatorNotAvailable),
            count => Ok(coordinator_partition(group_id, count)),
        }
    }

    /// The partitions that are coordinated here.
    pub fn partitions_led(&self) -> Vec<usize> {
        self.partitions().tasks.keys().copied().collect()
    }

    /// Partitions whose log is being read.
    pub fn loading(&self) -> usize {
        self.shared.gauge.loading()
    }

    /// Asks the coordinator of a group.
    ///
    /// # Errors
    /// It is not here, or there is none yet.
    pub async fn ask_group(
        &self,
        group_id: &str,
        client: Client,
        version: i16,
        request: Request,
    ) -> Result<Response, ErrorCode> {
        let partition = self.partition_of(group_id)?;
        self.ask(partition, client, version, request).await
    }

    /// As [`Self::ask_group`]; `None`: the shard has sent the answer already.
    ///
    /// # Errors
    /// The coordinator is not here, or there is none yet.
    pub async fn ask_group_early(
        &self,
        group_id: &str,
        client: Client,
        version: i16,
        request: Request,
        early: Early,
    ) -> Result<Option<Response>, ErrorCode> {
        let partition = self.partition_of(group_id)?;
        let asked = self.send(partition, client, version, request, Some(early))?;
        match asked.await {
            Ok(Answered::Response(response)) => Ok(Some(response)),
            Ok(Answered::Sent) => Ok(None),
            Err(_) => Err(ErrorCode::NotCoordinator),
        }
    }

    /// Asks the coordinator of a partition.
    ///
    /// # Errors
    /// It is not here.
    pub async fn ask(
        &self,
        partition: usize,
        client: Client,
        version: i16,
        request: Request,
    ) -> Result<Response, ErrorCode> {
        let asked = self.send(partition, client, version, request, None)?;
        // A task that ends answers first.
        match asked.await {
            Ok(Answered::Response(response)) => Ok(response),
            Ok(Answered::Sent) | Err(_) => Err(ErrorCode::NotCoordinator),
        }
    }

    /// Hands a request to its partition's task.
    fn send(
        &self,
        partition: usize,
        client: Client,
        version: i16,
        request: Request,
        early: Option<Early>,
    ) -> Result<oneshot::Receiver<Answered>, ErrorCode> {
        let context = RequestContext {
            version,
            client_id: client.id,
            client_host: client.host,
            uuid: *uuid::Uuid::new_v4().as_bytes(),
            ..RequestContext::default()
        };
        let (reply, answer) = oneshot::channel();
        let asked = Box::new((request, context));
        let caller = Caller::new(reply, early);
        let message = Message::Request { asked, caller };
        let sent = match self.partitions().tasks.get(&partition) {
            Some(task) => task.inbox.send(message).is_ok(),
            None => false,
        };
        if sent {
            Ok(answer)
        } else {
            Err(ErrorCode::NotCoordinator)
        }
    }

    fn partitions(&self) -> MutexGuard<'_, Partitions> {
        let partitions = self.shared.partitions.lock();
        partitions.unwrap_or_else(PoisonError::into_inner)
    }
}
