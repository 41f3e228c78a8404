//! The metadata as messages to the shards.

use precursor_metadata::{Broker, Change, ConfigResource, Metadata, Partition, Topic};
use precursor_metadata::{QuotaEntity, QuotaKey, QuotaName};
use precursor_model::TopicId;
use precursor_shm::control::{self as wire, PartitionImage, ToData};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An image, encoded once for all shards.
#[derive(Debug, Default)]
pub(crate) struct EncodedImage {
    pub version: u64,
    /// Of everything, not of what changed.
    pub whole: bool,
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
}

/// The options that a node's data plane follows, with their values in force.
pub type NodeOptions = Arc<dyn Fn(&Metadata) -> Vec<(String, String)> + Send + Sync>;

/// For whom images are made.
pub(crate) struct Recipient {
    pub node_id: i32,
    pub shards: u16,
    pub options: NodeOptions,
}

impl EncodedImage {
    pub fn message(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    fn push(&mut self, message: &ToData<'_>) {
        message.encode(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// All of `state`.
    pub fn full(state: &Metadata, recipient: &Recipient) -> Self {
        let mut image = EncodedImage::begin(state, true);
        image.cluster(state, recipient);
        for broker in state.brokers() {
            image.broker(broker);
        }
        for topic in state.topics() {
            image.topic(topic, recipient);
        }
        image.node_options(state, recipient);
        for (entity, _) in state.quotas() {
            image.quota(state, entity);
        }
        image.end()
    }

    /// What `changes` concern, as it is in `state` now.
    pub fn delta(state: &Metadata, changes: &[Change], recipient: &Recipient) -> Self {
        if changes.contains(&Change::Everything) {
            return EncodedImage::full(state, recipient);
        }
        let mut image = EncodedImage::begin(state, false);
        if changes.contains(&Change::Cluster) {
            image.cluster(state, recipient);
        }
        let (mut brokers, mut topics) = (BTreeSet::new(), BTreeSet::new());
        let (mut options, mut quotas) = (false, BTreeSet::new());
        for change in changes {
            match change {
                Change::Broker(id) => drop(brokers.insert(*id)),
                Change::Topic(id) | Change::TopicRemoved(id) => drop(topics.insert(*id)),
                Change::Configs(ConfigResource::Brokers | ConfigResource::Broker { .. }) => {
                    options = true;
                }
                Change::Quota(entity) => drop(quotas.insert(entity)),
                Change::Cluster | Change::Everything | Change::Configs(_) => {}
            }
        }
        for broker in brokers.iter().filter_map(|id| state.broker(*id)) {
            image.broker(broker);
        }
        // Removals first: a name may have passed to a new topic.
        let (present, removed): (Vec<TopicId>, Vec<TopicId>) =
            topics.iter().partition(|id| state.topic(**id).is_some());
        for id in removed {
            image.push(&ToData::TopicRemoved { id });
        }
        for topic in present.iter().filter_map(|id| state.topic(*id)) {
            image.topic(topic, recipient);
        }
        if options {
            image.node_options(state, recipient);
        }
        for entity in quotas {
            image.quota(state, entity);
        }
        image.end()
    }

    fn begin(state: &Metadata, full: bool) -> Self {
        let mut image = EncodedImage {
            version: state.version(),
            whole: full,
            ..EncodedImage::default()
        };
        image.push(&ToData::ImageBegin {
            version: state.version(),
            full,
        });
        image
    }

    fn end(mut self) -> Self {
        self.push(&ToData::ImageEnd {
            version: self.version,
        });
        self
    }

    fn cluster(&mut self, state: &Metadata, recipient: &Recipient) {
        self.push(&ToData::Cluster {
            cluster_id: state.cluster_id().unwrap_or_default(),
            // The one voter leads.
            controller_id: recipient.node_id,
            node_id: recipient.node_id,
        });
    }

    fn broker(&mut self, broker: &Broker) {
        self.push(&ToData::Broker {
            id: broker.id,
            host: &broker.host,
            port: broker.port,
            rack: &broker.rack,
        });
    }

    /// All of them: there are few, and the one that lost its own value is among them.
    fn node_options(&mut self, state: &Metadata, recipient: &Recipient) {
        for (name, value) in (recipient.options)(state) {
            self.push(&ToData::NodeOption {
                name: &name,
                value: &value,
            });
        }
    }

    fn quota(&mut self, state: &Metadata, entity: &QuotaEntity) {
        let limits = state.quota(entity);
        let limit = |key| {
            limits
                .and_then(|limits| limits.get(&key))
                .map(|l| l.value())
        };
        self.push(&ToData::ClientQuota {
            user: quota_entity(&entity.user),
            client_id: quota_entity(&entity.client_id),
            // Without limits it is removed.
            limits: wire::QuotaLimits {
                producer_byte_rate: limit(QuotaKey::ProducerByteRate),
                consumer_byte_rate: limit(QuotaKey::ConsumerByteRate),
                request_percentage: limit(QuotaKey::RequestPercentage),
            },
        });
    }

    fn topic(&mut self, topic: &Topic, recipient: &Recipient) {
        self.push(&ToData::Topic {
            id: topic.id,
            name: &topic.name,
            internal: topic.internal,
            partition_count: topic.partitions.len() as u32,
        });
        for (name, value) in &topic.configs {
            self.push(&ToData::TopicConfig {
                id: topic.id,
                name,
                value,
            });
        }
        for (index, partition) in topic.partitions.iter().enumerate() {
            let image = partition_image(topic.id, index as i32, partition, recipient);
            self.push(&ToData::Partition(image));
        }
    }
}

fn quota_entity(name: &Option<QuotaName>) -> wire::QuotaEntity<'_> {
    match name {
        None => wire::QuotaEntity::Any,
        Some(QuotaName::Default) => wire::QuotaEntity::Default,
        Some(QuotaName::Named(name)) => wire::QuotaEntity::Name(name),
    }
}

fn partition_image(
    topic: TopicId,
    index: i32,
    partition: &Partition,
    recipient: &Recipient,
) -> PartitionImage {
    let mut replicas = partition.replicas.iter();
    let local = replicas.find(|replica| replica.broker == recipient.node_id);
    PartitionImage {
        topic,
        partition: index,
        log: local.map(|replica| replica.log),
        // The number of shards may have become smaller since the partition was made.
        shard: local.map_or(0, |replica| replica.shard % recipient.shards.max(1)),
        leader: partition.leader,
        leader_epoch: partition.leader_epoch,
        replicas: partition.replicas.iter().map(|r| r.broker).collect(),
        isr: partition.isr.clone(),
        offline: Vec::new(),
    }
}
