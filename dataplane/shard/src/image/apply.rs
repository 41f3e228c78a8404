//! Receives an image, full or delta, message by message.

use super::{Broker, Image, Partition, Topic};
use crate::quotas::QuotaChange;
use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_shm::control::{PartitionImage, ToData};
use precursor_storage::LogId;
use std::rc::Rc;

/// Most partitions of one topic that an image may announce: a bound on what one message reserves.
const PARTITIONS_PER_TOPIC_MAX: u32 = 1 << 20;

/// What a whole image means for the logs of this shard.
#[derive(Debug, PartialEq)]
pub(crate) enum ImageChange {
    /// A local log that is to be there with this configuration and epoch.
    Log {
        uid: LogUid,
        topic: TopicId,
        name: Rc<str>,
        partition: i32,
        config: LogConfig,
        leader_epoch: i32,
        local: Option<LogId>,
    },
    /// A local log that is to go.
    Removed { log: LogId },
    /// Client quotas: all of them, or those that changed.
    Quotas { full: bool, named: Vec<QuotaChange> },
    /// Options of the node: all that are not as at the start, or those that changed.
    NodeOptions {
        full: bool,
        named: Vec<(Box<str>, Box<str>)>,
    },
}

/// The transaction being received.
#[derive(Default)]
pub(super) struct Receiving {
    /// The version between `ImageBegin` and `ImageEnd`.
    version: Option<u64>,
    pub full: bool,
    /// Counts transactions, to find topics that a full image lacks.
    number: u64,
    /// Topics named by it.
    touched: Vec<TopicId>,
    /// Brokers named by it.
    brokers: Vec<i32>,
    /// Logs that went with their topics.
    removed: Vec<LogId>,
    quotas: Vec<QuotaChange>,
    node_options: Vec<(Box<str>, Box<str>)>,
}

impl Image {
    /// The control plane begins anew: what was half received is void.
    pub fn abandon(&mut self) {
        self.receiving.version = None;
    }

    /// Applies one message; at the end of an image returns true, and what it means for the logs of
    /// `shard` is in `changes`.
    pub fn apply(
        &mut self,
        message: &ToData<'_>,
        shard: u16,
        changes: &mut Vec<ImageChange>,
    ) -> bool {
        if let ToData::ImageBegin { version, full } = message {
            // A delta means nothing without the image that it changes.
            let acceptable = *full || self.version != 0;
            self.receiving.version = acceptable.then_some(*version);
            self.receiving.full = *full;
            self.receiving.number += 1;
            self.receiving.touched.clear();
            self.receiving.brokers.clear();
            self.receiving.quotas.clear();
            self.receiving.node_options.clear();
            return false;
        }
        let Some(version) = self.receiving.version else {
            return false;
        };
        match message {
            ToData::Cluster {
                cluster_id,
                controller_id,
                node_id,
            } => {
                if !self.cluster_id.is_empty() && *self.cluster_id != **cluster_id {
                    self.refuse_cluster(cluster_id);
                    return false;
                }
                self.cluster_id = Rc::from(*cluster_id);
                self.controller_id = *controller_id;
                self.node_id = *node_id;
            }
            ToData::Broker {
                id,
                host,
                port,
                rack,
            } => self.apply_broker(*id, host, *port, rack),
            ToData::Topic {
                id,
                name,
                internal,
                partition_count,
            } => self.apply_topic(*id, name, *internal, *partition_count),
            ToData::TopicConfig { id, name, value } => {
                if let Some(topic) = self.topic_mut(*id) {
                    // An option of a newer control plane is not this shard's to refuse.
                    let _ = topic.config.set(name, value);
                    topic.options.push((Box::from(*name), Box::from(*value)));
                }
            }
            ToData::Partition(partition) => self.apply_partition(partition),
            ToData::TopicRemoved { id } => self.remove_topic(*id),
            ToData::ClientQuota {
                user,
                client_id,
                limits,
            } => {
                let change = QuotaChange::new(*user, *client_id, *limits);
                self.receiving.quotas.push(change);
            }
            ToData::NodeOption { name, value } => {
                let option = (Box::from(*name), Box::from(*value));
                self.receiving.node_options.push(option);
            }
            ToData::ImageEnd { version: ended } if *ended == version => {
                self.end(version, shard, changes);
                return true;
            }
            _ => {}
        }
        false
    }

    /// A control plane that belongs to another cluster, or has lost what it knew, would have every
    /// log removed that it has not heard of. What was in force stays.
    fn refuse_cluster(&mut self, cluster_id: &str) {
        self.receiving.version = None;
        tracing::error!(
            known = &*self.cluster_id,
            told = cluster_id,
            "the control plane's image is of another cluster and is refused"
        );
    }

    fn topic_mut(&mut self, id: TopicId) -> Option<&mut Topic> {
        let index = *self.by_id.get(&id)?;
        self.topics[index].as_mut()
    }

    fn apply_broker(&mut self, id: i32, host: &str, port: u16, rack: &str) {
        let broker = Broker {
            id,
            host: Rc::from(host),
            port,
            rack: Some(rack).filter(|rack| !rack.is_empty()).map(Rc::from),
        };
        self.receiving.brokers.push(id);
        match self.brokers.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = broker,
            None => self.brokers.push(broker),
        }
    }

    fn apply_topic(&mut self, id: TopicId, name: &str, internal: bool, partition_count: u32) {
        // A topic made anew under an old name has another id: the old one is gone.
        if let Some(old) = self.topic(name).map(|topic| topic.id)
            && old != id
        {
            self.remove_topic(old);
        }
        let index = match self.by_id.get(&id) {
            Some(index) => *index,
            None => {
                let index = self.vacant.pop().unwrap_or(self.topics.len());
                if index == self.topics.len() {
                    self.topics.push(None);
                }
                let name: Rc<str> = Rc::from(name);
                self.by_name.insert(name.clone(), index);
                self.by_id.insert(id, index);
                self.topics[index] = Some(Topic {
                    id,
                    name,
                    internal,
                    config: self.defaults.clone(),
                    options: Vec::new(),
                    partitions: Vec::new(),
                    named_in: 0,
                });
                index
            }
        };
        let number = self.receiving.number;
        let topic = self.topics[index].as_mut().expect("indexed topics exist");
        // The options that follow are all that are not at their defaults.
        topic.config = self.defaults.clone();
        topic.options.clear();
        topic.internal = internal;
        let count = partition_count.min(PARTITIONS_PER_TOPIC_MAX) as usize;
        topic.partitions.resize_with(count, Partition::default);
        if topic.named_in != number {
            topic.named_in = number;
            self.receiving.touched.push(id);
        }
    }

    fn apply_partition(&mut self, image: &PartitionImage) {
        let number = self.receiving.number;
        let mut fresh = false;
        if let Some(topic) = self.topic_mut(image.topic)
            && let Ok(index) = usize::try_from(image.partition)
            && let Some(partition) = topic.partitions.get_mut(index)
        {
            let local = partition.local.filter(|_| partition.log == image.log);
            *partition = Partition {
                log: image.log,
                shard: image.shard,
                leader: image.leader,
                leader_epoch: image.leader_epoch,
                replicas: image.replicas.clone(),
                isr: image.isr.clone(),
                offline: image.offline.clone(),
                local,
            };
            fresh = topic.named_in != number;
            topic.named_in = number;
        }
        if fresh {
            self.receiving.touched.push(image.topic);
        }
    }

    fn remove_topic(&mut self, id: TopicId) {
        let Some(index) = self.by_id.remove(&id) else {
            return;
        };
        if let Some(topic) = self.topics[index].take() {
            self.by_name.remove(&topic.name);
            let logs = topic.partitions.iter().filter_map(|p| p.local);
            self.receiving.removed.extend(logs);
            self.vacant.push(index);
        }
    }

    fn end(&mut self, version: u64, shard: u16, changes: &mut Vec<ImageChange>) {
        self.receiving.version = None;
        if self.receiving.full {
            let number = self.receiving.number;
            let lacking: Vec<TopicId> = self
                .topics()
                .filter(|topic| topic.named_in != number)
                .map(|topic| topic.id)
                .collect();
            for id in lacking {
                self.remove_topic(id);
            }
            let named = std::mem::take(&mut self.receiving.brokers);
            self.brokers.retain(|broker| named.contains(&broker.id));
        }
        let removed = self.receiving.removed.drain(..);
        changes.extend(removed.map(|log| ImageChange::Removed { log }));
        for id in std::mem::take(&mut self.receiving.touched) {
            let Some(topic) = self.topic_by_id(id) else {
                continue;
            };
            for (index, partition) in topic.partitions.iter().enumerate() {
                let Some(uid) = partition.log.filter(|_| partition.shard == shard) else {
                    continue;
                };
                changes.push(ImageChange::Log {
                    uid,
                    topic: id,
                    name: topic.name.clone(),
                    partition: index as i32,
                    config: topic.config.clone(),
                    leader_epoch: partition.leader_epoch,
                    local: partition.local,
                });
            }
        }
        self.end_options(changes);
        self.version = version;
    }

    /// Quotas and options of the node. After the logs, which then have new defaults too.
    fn end_options(&mut self, changes: &mut Vec<ImageChange>) {
        let full = self.receiving.full;
        let named = std::mem::take(&mut self.receiving.node_options);
        if full || !named.is_empty() {
            changes.push(ImageChange::NodeOptions { full, named });
        }
        let named = std::mem::take(&mut self.receiving.quotas);
        if full || !named.is_empty() {
            changes.push(ImageChange::Quotas { full, named });
        }
    }

    /// The node's defaults for topics have changed: those that do not set an option have another
    /// value of it. Returns the local logs with their options.
    pub fn set_defaults(&mut self, defaults: &LogConfig) -> Vec<(LogId, LogConfig)> {
        if self.defaults == *defaults {
            return Vec::new();
        }
        self.defaults = defaults.clone();
        let mut logs = Vec::new();
        for topic in self.topics.iter_mut().flatten() {
            topic.config = defaults.clone();
            for (name, value) in &topic.options {
                let _ = topic.config.set(name, value);
            }
            let local = topic.partitions.iter().filter_map(|p| p.local);
            logs.extend(local.map(|log| (log, topic.config.clone())));
        }
        logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic_messages(id: u8, name: &'static str, partitions: u32) -> Vec<ToData<'static>> {
        let id = TopicId([id; 16]);
        let mut messages = vec![ToData::Topic {
            id,
            name,
            internal: false,
            partition_count: partitions,
        }];
        messages.extend((0..partitions as i32).map(|partition| {
            ToData::Partition(PartitionImage {
                topic: id,
                partition,
                log: Some(LogUid(u64::from(id.0[0]) * 100 + partition as u64)),
                shard: (partition % 2) as u16,
                leader: 1,
                leader_epoch: 0,
                replicas: vec![1],
                isr: vec![1],
                offline: vec![],
            })
        }));
        messages
    }

    fn send(image: &mut Image, full: bool, version: u64, body: &[ToData<'_>]) -> Vec<ImageChange> {
        let mut changes = Vec::new();
        assert!(!image.apply(&ToData::ImageBegin { version, full }, 0, &mut changes));
        for message in body {
            assert!(!image.apply(message, 0, &mut changes));
        }
        image.apply(&ToData::ImageEnd { version }, 0, &mut changes);
        // Of whole images always there, here about nothing.
        changes.retain(|change| {
            !matches!(
                change,
                ImageChange::Quotas { .. } | ImageChange::NodeOptions { .. }
            )
        });
        changes
    }

    #[test]
    fn a_full_image_replaces_and_a_delta_changes() {
        let mut image = Image::new(1, LogConfig::default());
        assert!(send(&mut image, false, 1, &topic_messages(1, "early", 1)).is_empty());
        assert!(image.topic("early").is_none(), "a delta before any image");

        let changes = send(&mut image, true, 2, &topic_messages(1, "a", 3));
        let uids = changes.iter().map(|c| match c {
            ImageChange::Log { uid, .. } => uid.0,
            _ => 0,
        });
        assert_eq!(uids.collect::<Vec<_>>(), [100, 102], "shard 0 owns 0 and 2");

        let config = ToData::TopicConfig {
            id: TopicId([2; 16]),
            name: "retention.ms",
            value: "5",
        };
        let mut body = topic_messages(2, "b", 1);
        body.push(config);
        let changes = send(&mut image, false, 3, &body);
        let ImageChange::Log { config, .. } = &changes[0] else {
            panic!("a log");
        };
        assert_eq!(config.retention_ms, 5);
        assert!(image.topic("a").is_some() && image.topic("b").is_some());

        let changes = send(&mut image, true, 4, &topic_messages(2, "b", 1));
        assert!(image.topic("a").is_none());
        assert_eq!(changes.len(), 1, "a's logs were never opened here");
        assert_eq!(image.version, 4);

        // Made anew under the same name.
        send(&mut image, false, 5, &topic_messages(3, "b", 1));
        assert_eq!(image.topic("b").map(|t| t.id), Some(TopicId([3; 16])));
        assert!(image.topic_by_id(TopicId([2; 16])).is_none());
    }

    #[test]
    fn an_image_of_another_cluster_removes_nothing() {
        let cluster = |cluster_id| ToData::Cluster {
            cluster_id,
            controller_id: 1,
            node_id: 1,
        };
        let mut image = Image::new(1, LogConfig::default());
        let mut body = vec![cluster("one")];
        body.extend(topic_messages(1, "a", 1));
        send(&mut image, true, 1, &body);
        assert!(send(&mut image, true, 2, &[cluster("other")]).is_empty());
        assert!(image.topic("a").is_some());
        assert_eq!(image.version, 1);
    }

    #[test]
    fn an_image_cut_off_by_a_new_control_plane_is_void() {
        let mut image = Image::new(1, LogConfig::default());
        let mut changes = Vec::new();
        image.apply(
            &ToData::ImageBegin {
                version: 9,
                full: true,
            },
            0,
            &mut changes,
        );
        image.abandon();
        assert!(!image.apply(&ToData::ImageEnd { version: 9 }, 0, &mut changes));
        assert_eq!(image.version, 0);
    }
}
