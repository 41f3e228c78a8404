//! The cluster as a client sees it: brokers, leaders, and offsets of many partitions at a time.

use std::collections::BTreeMap;

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::list_groups_response::ListedGroup;
use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::{
    ListGroupsRequest, ListOffsetsRequest, MetadataRequest, OffsetFetchRequest,
};

use super::Connection;
use super::coordinator::TopicPartition;
use super::topic::error_of;
use crate::failure::Failure;

/// Brokers, and which of them leads what.
pub struct Cluster {
    bootstrap: Endpoint,
    brokers: BTreeMap<i32, Endpoint>,
    leaders: BTreeMap<TopicPartition, i32>,
    connections: BTreeMap<i32, Connection>,
}

impl Cluster {
    /// Asks a broker for all topics and who leads them.
    ///
    /// # Errors
    /// No broker.
    pub fn open(bootstrap: &Endpoint) -> Result<Cluster, Failure> {
        let mut cluster = Cluster {
            bootstrap: bootstrap.clone(),
            brokers: BTreeMap::new(),
            leaders: BTreeMap::new(),
            connections: BTreeMap::new(),
        };
        let first = Connection::open(bootstrap)?;
        cluster.take_metadata(first)?;
        Ok(cluster)
    }

    /// Asks again: topics and leaders may have changed.
    ///
    /// # Errors
    /// No broker answers any more.
    pub fn refresh(&mut self) -> Result<(), Failure> {
        let connection = match self.connections.pop_first() {
            Some((_, connection)) => connection,
            None => Connection::open(&self.bootstrap)?,
        };
        self.take_metadata(connection)
    }

    fn take_metadata(&mut self, mut connection: Connection) -> Result<(), Failure> {
        let response = connection.call(&MetadataRequest {
            topics: None, // all
            ..MetadataRequest::default()
        })?;
        self.brokers = response
            .brokers
            .into_iter()
            .map(|broker| {
                let endpoint = Endpoint {
                    host: broker.host,
                    port: u16::try_from(broker.port).unwrap_or(0),
                };
                (broker.node_id, endpoint)
            })
            .collect();
        self.leaders.clear();
        for topic in response.topics {
            let name = topic.name.unwrap_or_default();
            for partition in topic.partitions {
                let key = (name.clone(), partition.partition_index);
                self.leaders.insert(key, partition.leader_id);
            }
        }
        let node = self.brokers.iter().find(|(_, endpoint)| {
            // The only broker is where we are, whatever it calls itself.
            *endpoint == connection.endpoint() || self.brokers.len() == 1
        });
        if let Some((node, _)) = node {
            self.connections.insert(*node, connection);
        }
        Ok(())
    }

    /// Every partition of every topic, in order.
    pub fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        self.leaders.keys()
    }

    /// The number of a topic's partitions; `None`: there is no such topic.
    pub fn partition_count(&self, topic: &str) -> Option<usize> {
        let first = (topic.to_owned(), i32::MIN);
        let own = self.leaders.range(first..);
        let count = own.take_while(|((name, _), _)| name == topic).count();
        (count > 0).then_some(count)
    }

    fn connection(&mut self, node: i32) -> Result<&mut Connection, Failure> {
        if !self.connections.contains_key(&node) {
            let endpoint = self.brokers.get(&node).ok_or_else(|| {
                Failure::refused(format!("the brokers do not say where node {node} is"))
                    .next("Is it running? See: precursor cluster status")
            })?;
            self.connections.insert(node, Connection::open(endpoint)?);
        }
        let found = self.connections.get_mut(&node);
        found.ok_or_else(|| Failure::new(format!("no connection to node {node}")))
    }

    /// The groups of all brokers, each with the node that coordinates it.
    ///
    /// # Errors
    /// A broker does not answer, or refuses.
    pub fn groups(&mut self) -> Result<Vec<(i32, ListedGroup)>, Failure> {
        let nodes: Vec<i32> = self.brokers.keys().copied().collect();
        let mut groups = Vec::new();
        for node in nodes {
            let response = self.connection(node)?.call(&ListGroupsRequest::default())?;
            match error_of(response.error_code) {
                ErrorCode::None => {
                    groups.extend(response.groups.into_iter().map(|group| (node, group)));
                }
                error => {
                    return Err(
                        Failure::refused(format!("groups cannot be listed: {error}"))
                            .next("The coordinator may still be loading; try again in a moment"),
                    );
                }
            }
        }
        groups.sort_by(|a: &(i32, ListedGroup), b| a.1.group_id.cmp(&b.1.group_id));
        Ok(groups)
    }

    /// What groups have committed, as [`Cluster::groups`] lists them. Groups whose coordinator
    /// cannot say it now are left out.
    ///
    /// # Errors
    /// A broker does not answer.
    pub fn committed_of(
        &mut self,
        groups: &[(i32, ListedGroup)],
    ) -> Result<BTreeMap<String, Vec<(TopicPartition, i64)>>, Failure> {
        let mut by_node: BTreeMap<i32, Vec<OffsetFetchRequestGroup>> = BTreeMap::new();
        for (node, group) in groups {
            let asked = OffsetFetchRequestGroup {
                group_id: group.group_id.clone(),
                member_epoch: -1,
                topics: None, // all
                ..OffsetFetchRequestGroup::default()
            };
            by_node.entry(*node).or_default().push(asked);
        }
        let mut committed = BTreeMap::new();
        for (node, groups) in by_node {
            let connection = self.connection(node)?;
            // Version 8 is the first that asks for several groups.
            if connection.version_of::<OffsetFetchRequest>()? < 8 {
                continue;
            }
            let response = connection.call(&OffsetFetchRequest {
                groups,
                ..OffsetFetchRequest::default()
            })?;
            for group in response
                .groups
                .into_iter()
                .filter(|group| group.error_code == 0)
            {
                let mut offsets = Vec::new();
                for topic in group.topics {
                    let partitions = topic.partitions.iter();
                    let known = partitions.filter(|partition| partition.committed_offset >= 0);
                    offsets.extend(known.map(|partition| {
                        let key = (topic.name.clone(), partition.partition_index);
                        (key, partition.committed_offset)
                    }));
                }
                committed.insert(group.group_id, offsets);
            }
        }
        Ok(committed)
    }

    /// The offset of each partition's first record at or after `timestamp` (milliseconds, or
    /// `EARLIEST` or `LATEST`): -1 where no record is that young. Partitions that cannot be asked
    /// are left out.
    ///
    /// # Errors
    /// A broker does not answer.
    pub fn offsets(
        &mut self,
        partitions: &[TopicPartition],
        timestamp: i64,
    ) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<i32>>> = BTreeMap::new();
        for key in partitions {
            if let Some(leader) = self.leaders.get(key).filter(|leader| **leader >= 0) {
                let topics = by_leader.entry(*leader).or_default();
                topics.entry(&key.0).or_default().push(key.1);
            }
        }
        let mut found = BTreeMap::new();
        for (leader, topics) in by_leader {
            let request = list_offsets(&topics, timestamp);
            let response = self.connection(leader)?.call(&request)?;
            for topic in response.topics {
                for partition in topic.partitions {
                    if partition.error_code == 0 {
                        let key = (topic.name.clone(), partition.partition_index);
                        found.insert(key, partition.offset);
                    }
                }
            }
        }
        Ok(found)
    }
}

fn list_offsets(topics: &BTreeMap<&str, Vec<i32>>, timestamp: i64) -> ListOffsetsRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        let partitions = partitions.iter().map(|index| ListOffsetsPartition {
            partition_index: *index,
            current_leader_epoch: -1,
            timestamp,
            ..ListOffsetsPartition::default()
        });
        ListOffsetsTopic {
            name: (*name).to_owned(),
            partitions: partitions.collect(),
            ..ListOffsetsTopic::default()
        }
    });
    ListOffsetsRequest {
        replica_id: -1,
        topics: topics.collect(),
        ..ListOffsetsRequest::default()
    }
}
