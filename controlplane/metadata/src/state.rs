//! The state and its transitions.

use crate::command::{
    Applied, Change, Command, NewTopic, NewTopicPartition, Outcome, TopicCreated,
};
use crate::config_resource::{ConfigResource, Configs};
use crate::quota::{QuotaEntity, QuotaLimits};
use crate::refusal::Refusal;
use crate::topic::{Partition, Replica, Topic};
use crate::{BROKER_TEXT_LENGTH_MAX, PARTITIONS_PER_COMMAND_MAX, PRODUCER_IDS_PER_COMMAND_MAX};
use precursor_model::{ErrorCode, LogUid, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A broker and the address that clients are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    pub id: i32,
    pub host: String,
    /// 0: the address that the broker is bound to, which it knows itself.
    pub port: u16,
    pub rack: String,
}

/// The cluster's metadata. Owned by whoever applies the Raft log; plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub(crate) version: u64,
    pub(crate) cluster_id: Option<String>,
    pub(crate) brokers: BTreeMap<i32, Broker>,
    pub(crate) topics: BTreeMap<TopicId, Topic>,
    pub(crate) next_log_uid: u64,
    pub(crate) next_producer_id: i64,
    /// Of everything but topics; none is empty.
    pub(crate) configs: BTreeMap<ConfigResource, Configs>,
    /// None is empty.
    pub(crate) quotas: BTreeMap<QuotaEntity, QuotaLimits>,
    // The rest is derived from the above.
    names: BTreeMap<String, TopicId>,
    /// Names with `.` or `_`, by the name with every `.` made `_`.
    collisions: BTreeMap<String, String>,
    partition_count: usize,
}

impl Default for Metadata {
    fn default() -> Self {
        Metadata {
            version: 0,
            cluster_id: None,
            brokers: BTreeMap::new(),
            topics: BTreeMap::new(),
            next_log_uid: 1,
            next_producer_id: 0,
            configs: BTreeMap::new(),
            quotas: BTreeMap::new(),
            names: BTreeMap::new(),
            collisions: BTreeMap::new(),
            partition_count: 0,
        }
    }
}

impl Metadata {
    /// Counts the changes that the data plane's image follows.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    pub fn broker(&self, id: i32) -> Option<&Broker> {
        self.brokers.get(&id)
    }

    /// By id.
    pub fn brokers(&self) -> impl ExactSizeIterator<Item = &Broker> {
        self.brokers.values()
    }

    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.topics.get(&id)
    }

    pub fn topic_named(&self, name: &str) -> Option<&Topic> {
        self.topics.get(self.names.get(name)?)
    }

    /// By name.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &Topic> {
        self.names.values().map(|id| &self.topics[id])
    }

    /// Partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// The first producer id that nobody was given.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// How many logs of `broker` each of its `shards` owns.
    pub fn logs_per_shard(&self, broker: i32, shards: u16) -> Vec<usize> {
        let mut counts = vec![0; usize::from(shards.max(1))];
        let replicas = self.topics.values().flat_map(|topic| &topic.partitions);
        for replica in replicas.flat_map(|partition| &partition.replicas) {
            if replica.broker == broker {
                counts[usize::from(replica.shard % shards.max(1))] += 1;
            }
        }
        counts
    }

    /// Another topic whose name differs from `name` only by `.` and `_`.
    pub(crate) fn colliding_name(&self, name: &str) -> Option<&str> {
        let other = self.collisions.get(&collision_key(name)?)?;
        (other != name).then_some(other)
    }

    /// Carries out one command.
    pub fn apply(&mut self, command: &Command) -> Applied {
        let mut changes = Vec::new();
        let outcome = match command {
            Command::SetClusterId { cluster_id } => {
                Outcome::Done(self.set_cluster_id(cluster_id, &mut changes))
            }
            Command::RegisterBroker { broker } => {
                Outcome::Done(self.register_broker(broker, &mut changes))
            }
            Command::CreateTopics { topics } => {
                Outcome::TopicsCreated(self.create_topics(topics, &mut changes))
            }
            Command::DeleteTopics { ids } => Outcome::TopicsDeleted(
                ids.iter()
                    .map(|id| self.delete_topic(*id, &mut changes))
                    .collect(),
            ),
            Command::CreatePartitions { topic, partitions } => {
                Outcome::Done(self.create_partitions(*topic, partitions, &mut changes))
            }
            Command::AllocateProducerIds { count } => {
                Outcome::ProducerIds(self.allocate_producer_ids(*count))
            }
            Command::AlterConfigs { alterations } => {
                let alter = |a| self.alter_configs(a, &mut changes);
                Outcome::Altered(alterations.iter().map(alter).collect())
            }
            Command::AlterQuotas { alterations } => {
                let alter = |a| self.alter_quota(a, &mut changes);
                Outcome::Altered(alterations.iter().map(alter).collect())
            }
        };
        if !changes.is_empty() {
            self.version += 1;
        }
        Applied {
            outcome,
            changes,
            version: self.version,
        }
    }

    fn set_cluster_id(&mut self, id: &str, changes: &mut Vec<Change>) -> Result<(), Refusal> {
        match &self.cluster_id {
            Some(present) if present == id => Ok(()),
            Some(present) => Err(Refusal::new(
                ErrorCode::InconsistentClusterId,
                format!("The cluster is named {present} and keeps that name."),
            )),
            None if id.is_empty() || id.len() > BROKER_TEXT_LENGTH_MAX => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("A cluster id has 1 to {BROKER_TEXT_LENGTH_MAX} bytes."),
            )),
            None => {
                self.cluster_id = Some(id.to_owned());
                changes.push(Change::Cluster);
                Ok(())
            }
        }
    }

    fn register_broker(
        &mut self,
        broker: &Broker,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let texts = [&broker.host, &broker.rack];
        if broker.id < 0 || texts.iter().any(|t| t.len() > BROKER_TEXT_LENGTH_MAX) {
            return Err(Refusal::new(
                ErrorCode::InvalidRegistration,
                format!(
                    "A broker's id is not negative, its host and rack have at most \
                     {BROKER_TEXT_LENGTH_MAX} bytes."
                ),
            ));
        }
        if self.brokers.get(&broker.id) != Some(broker) {
            self.brokers.insert(broker.id, broker.clone());
            changes.push(Change::Broker(broker.id));
        }
        Ok(())
    }

    fn create_topics(
        &mut self,
        topics: &[NewTopic],
        changes: &mut Vec<Change>,
    ) -> Vec<Result<TopicCreated, Refusal>> {
        let mut allowance = PARTITIONS_PER_COMMAND_MAX;
        let mut outcomes = Vec::with_capacity(topics.len());
        for topic in topics {
            let outcome = self.check_new_topic(topic).and_then(|()| {
                allowance = allowance
                    .checked_sub(topic.partitions.len())
                    .ok_or_else(too_many_partitions)?;
                Ok(())
            });
            outcomes.push(outcome.map(|()| {
                let id = topic.id;
                self.insert_new_topic(topic);
                changes.push(Change::Topic(id));
                TopicCreated { id }
            }));
        }
        outcomes
    }

    fn insert_new_topic(&mut self, new: &NewTopic) {
        let partitions = self.new_partitions(&new.partitions);
        self.insert_topic(Topic {
            id: new.id,
            name: new.name.clone(),
            internal: new.internal,
            partitions,
            configs: new.configs.clone(),
        });
    }

    fn new_partitions(&mut self, new: &[NewTopicPartition]) -> Vec<Partition> {
        let mut next_log_uid = self.next_log_uid;
        let mut replica = |(broker, shard): &(i32, u16)| {
            let log = LogUid(next_log_uid);
            next_log_uid += 1;
            Replica {
                broker: *broker,
                log,
                shard: *shard,
            }
        };
        let mut partitions = Vec::with_capacity(new.len());
        for partition in new {
            partitions.push(Partition {
                leader: partition.replicas[0].0,
                leader_epoch: partition.leader_epoch,
                replicas: partition.replicas.iter().map(&mut replica).collect(),
                isr: partition
                    .replicas
                    .iter()
                    .map(|(broker, _)| *broker)
                    .collect(),
            });
        }
        self.next_log_uid = next_log_uid;
        partitions
    }

    fn create_partitions(
        &mut self,
        id: TopicId,
        added: &[NewTopicPartition],
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        self.check_growth(id, added)?;
        let partitions = self.new_partitions(added);
        self.partition_count += partitions.len();
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.partitions.extend(partitions);
        }
        changes.push(Change::Topic(id));
        Ok(())
    }

    fn delete_topic(&mut self, id: TopicId, changes: &mut Vec<Change>) -> Result<String, Refusal> {
        let topic = self.topics.remove(&id).ok_or_else(|| unknown_topic(id))?;
        self.names.remove(&topic.name);
        if let Some(key) = collision_key(&topic.name) {
            self.collisions.remove(&key);
        }
        self.partition_count -= topic.partitions.len();
        changes.push(Change::TopicRemoved(id));
        Ok(topic.name)
    }

    pub(crate) fn set_topic_configs(&mut self, id: TopicId, configs: Configs) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.configs = configs;
        }
    }

    fn allocate_producer_ids(&mut self, count: u32) -> Result<i64, Refusal> {
        let refuse = |message| Err(Refusal::new(ErrorCode::InvalidRequest, message));
        if count == 0 || count > PRODUCER_IDS_PER_COMMAND_MAX {
            return refuse("A block of producer ids has 1 to 1000000 of them.");
        }
        let first = self.next_producer_id;
        match first.checked_add(i64::from(count)) {
            Some(next) => {
                self.next_producer_id = next;
                Ok(first)
            }
            None => refuse("Every producer id was given away."),
        }
    }

    /// Adds a topic and everything derived from it. The name and id are free.
    pub(crate) fn insert_topic(&mut self, topic: Topic) {
        self.names.insert(topic.name.clone(), topic.id);
        if let Some(key) = collision_key(&topic.name) {
            self.collisions.insert(key, topic.name.clone());
        }
        self.partition_count += topic.partitions.len();
        self.topics.insert(topic.id, topic);
    }

    /// Checks what must hold after any commands; names what does not.
    ///
    /// # Errors
    /// A sentence about the first rule that is broken.
    pub fn check_invariants(&self) -> Result<(), String> {
        let mut logs = BTreeSet::new();
        let mut partitions = 0;
        for (id, topic) in &self.topics {
            if *id != topic.id || self.names.get(&topic.name) != Some(id) {
                return Err(format!(
                    "topic {id} is not found by its name {}",
                    topic.name
                ));
            }
            partitions += topic.partitions.len();
            for replica in topic.partitions.iter().flat_map(|p| &p.replicas) {
                if replica.log.0 == 0 || replica.log.0 >= self.next_log_uid {
                    return Err(format!("log {} was never given", replica.log.0));
                }
                if !logs.insert(replica.log) {
                    return Err(format!("log {} is given twice", replica.log.0));
                }
            }
            for partition in &topic.partitions {
                let holds = |broker: &i32| partition.replicas.iter().any(|r| r.broker == *broker);
                if !holds(&partition.leader) || !partition.isr.iter().all(holds) {
                    return Err(format!("{}: leader or ISR without a replica", topic.name));
                }
            }
        }
        if partitions != self.partition_count || self.names.len() != self.topics.len() {
            return Err("the derived counts are wrong".into());
        }
        let keys = self.names.keys().filter_map(|name| collision_key(name));
        if keys.collect::<BTreeSet<_>>().len() != self.collisions.len() {
            return Err("two names collide".into());
        }
        Ok(())
    }
}

pub(crate) fn unknown_topic(id: TopicId) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownTopicId,
        format!("This server does not host the topic id {id}."),
    )
}

pub(crate) fn too_many_partitions() -> Refusal {
    Refusal::new(
        ErrorCode::PolicyViolation,
        "Excessively large number of partitions per request.",
    )
}

/// The name with `.` made `_`; `None` when it has neither.
fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}
