//! The metadata image: what the control plane last published, as this shard serves it.

mod apply;

pub(crate) use apply::ImageChange;

use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_storage::LogId;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

/// A broker of the cluster and its advertised address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broker {
    pub id: i32,
    pub host: Rc<str>,
    pub port: u16,
    pub rack: Option<Rc<str>>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Partition {
    /// The local replica's log.
    pub log: Option<LogUid>,
    /// The shard that owns the log.
    pub shard: u16,
    pub leader: i32,
    pub leader_epoch: i32,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub offline: Vec<i32>,
    /// The log in this shard's store, where this shard owns it.
    pub local: Option<LogId>,
}

impl Default for Partition {
    /// A partition that the image has announced but not described.
    fn default() -> Self {
        Partition {
            log: None,
            shard: 0,
            leader: -1,
            leader_epoch: -1,
            replicas: Vec::new(),
            isr: Vec::new(),
            offline: Vec::new(),
            local: None,
        }
    }
}

/// One topic.
pub(crate) struct Topic {
    pub id: TopicId,
    pub name: Rc<str>,
    pub internal: bool,
    pub config: LogConfig,
    /// Options that the topic sets itself.
    options: Vec<(Box<str>, Box<str>)>,
    pub partitions: Vec<Partition>,
    /// The image transaction that last named the topic.
    named_in: u64,
}

/// Everything known, and the transaction that is being received.
pub(crate) struct Image {
    /// Version in force; 0 before the first image.
    pub version: u64,
    pub cluster_id: Rc<str>,
    pub controller_id: i32,
    pub node_id: i32,
    pub brokers: Vec<Broker>,
    /// The empty name, for whoever keeps a name and has none.
    pub nameless: Rc<str>,
    by_name: HashMap<Rc<str>, usize>,
    by_id: HashMap<TopicId, usize>,
    /// Where the topic was that was asked for last: mostly it is asked for again.
    last_found: Cell<usize>,
    topics: Vec<Option<Topic>>,
    vacant: Vec<usize>,
    /// The broker's defaults for topics (`topic.*` options).
    defaults: LogConfig,
    receiving: apply::Receiving,
}

impl Image {
    pub fn new(node_id: i32, defaults: LogConfig) -> Self {
        Image {
            version: 0,
            cluster_id: Rc::from(""),
            controller_id: -1,
            node_id,
            brokers: Vec::new(),
            nameless: Rc::from(""),
            by_name: HashMap::new(),
            by_id: HashMap::new(),
            last_found: Cell::new(0),
            topics: Vec::new(),
            vacant: Vec::new(),
            defaults,
            receiving: apply::Receiving::default(),
        }
    }

    pub fn topic(&self, name: &str) -> Option<&Topic> {
        let index = *self.by_name.get(name)?;
        self.topics[index].as_ref()
    }

    pub fn topic_by_id(&self, id: TopicId) -> Option<&Topic> {
        let last = self.topics.get(self.last_found.get());
        let last = last.and_then(Option::as_ref);
        if let Some(topic) = last.filter(|topic| topic.id == id) {
            return Some(topic);
        }
        let index = *self.by_id.get(&id)?;
        self.last_found.set(index);
        self.topics[index].as_ref()
    }

    /// Remembers (or forgets) which local log serves a partition.
    pub fn set_local(&mut self, topic: TopicId, partition: i32, local: Option<LogId>) {
        let Some(index) = self.by_id.get(&topic) else {
            return;
        };
        let topic = self.topics[*index].as_mut();
        let slot = topic.and_then(|t| t.partitions.get_mut(usize::try_from(partition).ok()?));
        if let Some(slot) = slot {
            slot.local = local;
        }
    }

    /// Whether the last image received was a whole one.
    pub fn is_full(&self) -> bool {
        self.receiving.full
    }

    /// Every topic, in no particular order.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter().flatten()
    }
}
