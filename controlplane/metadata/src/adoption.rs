//! What a data directory that was taken over from Apache Kafka tells the first control plane that
//! starts on it.

use crate::command::{Command, NewTopic, NewTopicPartition};
use crate::state::Metadata;
use crate::topic::topic_id_text;
use crate::{PARTITIONS_PER_COMMAND_MAX, PRODUCER_IDS_PER_COMMAND_MAX};
use precursor_model::TopicId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file's name in the data directory.
pub const ADOPTION_FILE: &str = "adopted.json";
/// Its name once the metadata log has everything.
pub const ADOPTION_DONE_FILE: &str = "adopted.done.json";

/// What was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    pub cluster_id: String,
    /// The first producer id that nobody was given.
    pub next_producer_id: i64,
    pub topics: Vec<AdoptedTopic>,
}

/// A topic whose logs are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedTopic {
    #[serde(with = "topic_id_text")]
    pub id: TopicId,
    pub name: String,
    pub internal: bool,
    /// By partition: the leader epoch that begins now.
    pub leader_epochs: Vec<i32>,
    pub configs: BTreeMap<String, String>,
}

impl Adoption {
    /// The commands that are still needed for a state to have everything, each within its bounds;
    /// none when it has. New logs go to the broker's shards in turn.
    pub fn commands(&self, state: &Metadata, broker: i32, shards: u16) -> Vec<Command> {
        let mut commands = Vec::new();
        let missing = self.next_producer_id - state.next_producer_id();
        let mut ids = missing.clamp(0, i64::from(u32::MAX)) as u32;
        while ids > 0 {
            let count = ids.min(PRODUCER_IDS_PER_COMMAND_MAX);
            commands.push(Command::AllocateProducerIds { count });
            ids -= count;
        }
        let mut shard = 0;
        let mut topics: Vec<NewTopic> = Vec::new();
        let mut partitions = 0;
        for topic in { &self.topics }
            .iter()
            .filter(|topic| state.topic(topic.id).is_none())
        {
            let count = topic.leader_epochs.len();
            if partitions + count > PARTITIONS_PER_COMMAND_MAX && !topics.is_empty() {
                let topics = std::mem::take(&mut topics);
                commands.push(Command::CreateTopics { topics });
                partitions = 0;
            }
            partitions += count;
            topics.push(NewTopic {
                id: topic.id,
                name: topic.name.clone(),
                internal: topic.internal,
                partitions: { &topic.leader_epochs }
                    .iter()
                    .map(|epoch| {
                        shard = (shard + 1) % shards.max(1);
                        NewTopicPartition {
                            replicas: vec![(broker, shard)],
                            leader_epoch: *epoch,
                        }
                    })
                    .collect(),
                configs: topic.configs.clone(),
            });
        }
        if !topics.is_empty() {
            commands.push(Command::CreateTopics { topics });
        }
        commands
    }
}
