//! Making and deleting topics: what Kafka requests and gRPC share.

use crate::api::Api;
use crate::placement::Placement;
use precursor_config::NodeConfig;
use precursor_metadata::{
    Command, Metadata, NewTopic, NewTopicPartition, Outcome, PARTITIONS_PER_COMMAND_MAX,
    PARTITIONS_PER_TOPIC_MAX, Refusal, check_topic_configs,
};
use precursor_model::{ErrorCode, OFFSETS_TOPIC, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long auto-creation takes at most; the shard's client waits for its Metadata answer.
const ENSURE_PATIENCE: Duration = Duration::from_secs(10);

/// A number that a client states or leaves to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Default,
    Of(i32),
}

/// A topic as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopicRequest {
    pub name: String,
    pub partitions: Count,
    pub replication_factor: Count,
    /// Partition and brokers; empty: the cluster chooses.
    pub assignments: Vec<(i32, Vec<i32>)>,
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMade {
    /// `TopicId::ZERO` when it was only validated.
    pub id: TopicId,
    pub partitions: usize,
    pub replication_factor: usize,
    pub configs: BTreeMap<String, String>,
}

/// A topic by name or id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicReference {
    Name(String),
    Id(TopicId),
}

impl Api {
    /// Makes topics, or with `validate_only` says what would come of it. One outcome a topic, in
    /// order; returns when every shard serves them.
    pub async fn create_topics(
        &self,
        requests: &[NewTopicRequest],
        validate_only: bool,
        limit: Duration,
    ) -> Vec<Result<TopicMade, Refusal>> {
        let plans = self.consensus.read(|state| self.plan(state, requests));
        let made = |topic: &NewTopic, id| TopicMade {
            id,
            partitions: topic.partitions.len(),
            replication_factor: topic.partitions.first().map_or(0, |p| p.replicas.len()),
            configs: topic.configs.clone(),
        };
        if validate_only {
            let plans = plans.into_iter();
            return plans
                .map(|plan| plan.map(|topic| made(&topic, TopicId::ZERO)))
                .collect();
        }
        let topics: Vec<NewTopic> = plans.iter().flatten().cloned().collect();
        let mut created = match self.agree_on_topics(topics, limit).await {
            Ok(created) => created.into_iter(),
            Err(refusal) => {
                let plans = plans.into_iter();
                return plans.map(|plan| plan.and(Err(refusal.clone()))).collect();
            }
        };
        let outcome = |plan: Result<NewTopic, Refusal>| {
            let topic = plan?;
            let id = created.next().unwrap_or_else(|| Err(other_answer()))?;
            Ok(made(&topic, id))
        };
        plans.into_iter().map(outcome).collect()
    }

    async fn agree_on_topics(
        &self,
        topics: Vec<NewTopic>,
        limit: Duration,
    ) -> Result<Vec<Result<TopicId, Refusal>>, Refusal> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let reply = self
            .propose(Command::CreateTopics { topics }, limit)
            .await?;
        let Outcome::TopicsCreated(created) = reply.outcome else {
            return Err(other_answer());
        };
        self.shown(reply.version).await;
        Ok(created
            .into_iter()
            .map(|outcome| outcome.map(|topic| topic.id))
            .collect())
    }

    fn plan(
        &self,
        state: &Metadata,
        requests: &[NewTopicRequest],
    ) -> Vec<Result<NewTopic, Refusal>> {
        let defaults = self.settings.in_force(state);
        let mut placement = Placement::new(state, self.settings.shards);
        let mut allowance = PARTITIONS_PER_COMMAND_MAX;
        let mut plan = |request: &NewTopicRequest| {
            // In Kafka's order: the name, the options, the numbers.
            state.check_topic_name(&request.name)?;
            let configs = plan_configs(request)?;
            let partitions = plan_partitions(&defaults, &mut placement, request, &mut allowance)?;
            let topic = NewTopic {
                id: random_topic_id(),
                name: request.name.clone(),
                internal: request.name == OFFSETS_TOPIC,
                partitions,
                configs,
            };
            state.check_new_topic(&topic)?;
            Ok(topic)
        };
        requests.iter().map(&mut plan).collect()
    }

    /// Deletes topics. One outcome a topic, in order: its id and name; returns when no shard
    /// serves them any more.
    pub async fn delete_topics(
        &self,
        topics: &[TopicReference],
        limit: Duration,
    ) -> Vec<Result<(TopicId, String), Refusal>> {
        let found: Vec<Result<TopicId, Refusal>> = self
            .consensus
            .read(|state| topics.iter().map(|topic| find(state, topic)).collect());
        let found = if self.node_config().delete_topics {
            found
        } else {
            let disabled = || {
                Refusal::new(
                    ErrorCode::TopicDeletionDisabled,
                    "Topic deletion is disabled.",
                )
            };
            found
                .into_iter()
                .map(|id| id.and_then(|_| Err(disabled())))
                .collect()
        };
        let ids: Vec<TopicId> = found.iter().flatten().copied().collect();
        let refused = |refusal: &Refusal, found: &[Result<TopicId, Refusal>]| {
            let all = found.iter().cloned();
            all.map(|id| id.and(Err(refusal.clone()))).collect()
        };
        if ids.is_empty() {
            return refused(&other_answer(), &found);
        }
        let reply = match self.propose(Command::DeleteTopics { ids }, limit).await {
            Ok(reply) => reply,
            Err(refusal) => return refused(&refusal, &found),
        };
        let Outcome::TopicsDeleted(deleted) = reply.outcome else {
            return refused(&other_answer(), &found);
        };
        self.shown(reply.version).await;
        let mut deleted = deleted.into_iter();
        let mut outcome = |id: Result<TopicId, Refusal>| {
            let id = id?;
            let name = deleted.next().unwrap_or_else(|| Err(other_answer()))?;
            Ok((id, name))
        };
        found.into_iter().map(&mut outcome).collect()
    }

    /// Raises a topic's number of partitions to `total`; `assignments` names the brokers of each
    /// new one, or is empty.
    ///
    /// # Errors
    /// Kafka's refusal.
    pub async fn create_partitions(
        &self,
        name: &str,
        total: i32,
        assignments: &[Vec<i32>],
        validate_only: bool,
        limit: Duration,
    ) -> Result<(), Refusal> {
        let (topic, partitions) = self.consensus.read(|state| {
            let (topic, partitions) = self.plan_growth(state, name, total, assignments)?;
            state.check_growth(topic, &partitions)?;
            Ok::<_, Refusal>((topic, partitions))
        })?;
        if validate_only {
            return Ok(());
        }
        let command = Command::CreatePartitions { topic, partitions };
        let reply = self.propose(command, limit).await?;
        match reply.outcome {
            Outcome::Done(outcome) => outcome?,
            _ => return Err(other_answer()),
        }
        self.shown(reply.version).await;
        Ok(())
    }

    fn plan_growth(
        &self,
        state: &Metadata,
        name: &str,
        total: i32,
        assignments: &[Vec<i32>],
    ) -> Result<(TopicId, Vec<NewTopicPartition>), Refusal> {
        let topic = state.topic_named(name).ok_or_else(unknown_topic)?;
        let present = topic.partitions.len();
        let refuse = |message: String| Err(Refusal::new(ErrorCode::InvalidPartitions, message));
        let added = match usize::try_from(total) {
            Ok(total) if total > PARTITIONS_PER_TOPIC_MAX => {
                return refuse(format!(
                    "A topic has at most {PARTITIONS_PER_TOPIC_MAX} partitions."
                ));
            }
            Ok(total) if total > present => total - present,
            _ => {
                return refuse(format!(
                    "Topic currently has {present} partitions, which is not fewer than the \
                     requested {total}."
                ));
            }
        };
        let mut placement = Placement::new(state, self.settings.shards);
        if assignments.is_empty() {
            let factor = topic.replication_factor();
            let partitions = (0..added).map(|_| placement.partition(factor)).collect();
            return Ok((topic.id, partitions));
        }
        if assignments.len() != added {
            return Err(Refusal::new(
                ErrorCode::InvalidReplicaAssignment,
                format!(
                    "Attempted to add {added} additional partition(s), but only {} assignment(s) \
                     were specified.",
                    assignments.len()
                ),
            ));
        }
        let partitions = assignments
            .iter()
            .map(|brokers| placement.partition_on(brokers))
            .collect();
        Ok((topic.id, partitions))
    }

    /// Makes the topics that do not exist, with the broker's defaults (auto-creation).
    pub(crate) async fn ensure(&self, names: Vec<String>) -> Vec<ErrorCode> {
        let missing: BTreeSet<&String> = self.consensus.read(|state| {
            let missing = names.iter();
            missing
                .filter(|name| state.topic_named(name).is_none())
                .collect()
        });
        let mut errors: BTreeMap<String, ErrorCode> = BTreeMap::new();
        let auto_create = self.node_config().auto_create_topics;
        let mut requests = Vec::new();
        for name in missing {
            if name == OFFSETS_TOPIC {
                requests.push(self.offsets_topic());
            } else if auto_create {
                requests.push(NewTopicRequest {
                    name: name.clone(),
                    partitions: Count::Default,
                    replication_factor: Count::Default,
                    assignments: Vec::new(),
                    configs: Vec::new(),
                });
            } else {
                errors.insert(name.clone(), ErrorCode::UnknownTopicOrPartition);
            }
        }
        if !requests.is_empty() {
            let outcomes = self.create_topics(&requests, false, ENSURE_PATIENCE).await;
            for (request, outcome) in requests.into_iter().zip(outcomes) {
                // Somebody else made it meanwhile: it is there.
                let error = outcome.err().map_or(ErrorCode::None, |r| r.error());
                if error.is_error() && error != ErrorCode::TopicAlreadyExists {
                    errors.insert(request.name, error);
                }
            }
        }
        // Topics that another request made: its image may not be everywhere yet.
        self.shown(self.consensus.read(Metadata::version)).await;
        let code = |name: &String| errors.get(name).copied().unwrap_or(ErrorCode::None);
        names.iter().map(code).collect()
    }
}

fn plan_partitions(
    defaults: &NodeConfig,
    placement: &mut Placement,
    request: &NewTopicRequest,
    allowance: &mut usize,
) -> Result<Vec<NewTopicPartition>, Refusal> {
    let (count, factor) = if request.assignments.is_empty() {
        let factor = check_factor(defaults, request.replication_factor)?;
        let count = partition_count(request.partitions, defaults.num_partitions)?;
        (count, reachable(factor, placement)?)
    } else {
        check_assigned(request)?;
        (request.assignments.len(), 0)
    };
    *allowance = allowance.checked_sub(count).ok_or_else(|| {
        Refusal::new(
            ErrorCode::PolicyViolation,
            "Excessively large number of partitions per request.",
        )
    })?;
    if !request.assignments.is_empty() {
        return assigned_partitions(placement, request);
    }
    Ok((0..count).map(|_| placement.partition(factor)).collect())
}

/// An assignment says everything: numbers beside it would say it twice.
fn check_assigned(request: &NewTopicRequest) -> Result<(), Refusal> {
    let number = match (request.replication_factor, request.partitions) {
        (Count::Default, Count::Default) => return Ok(()),
        (Count::Default, _) => "numPartitions",
        _ => "replication factor",
    };
    Err(Refusal::new(
        ErrorCode::InvalidRequest,
        format!("A manual partition assignment was specified, but {number} was not set to -1."),
    ))
}

fn check_factor(defaults: &NodeConfig, count: Count) -> Result<usize, Refusal> {
    let stated = match count {
        Count::Default => i32::from(defaults.default_replication_factor),
        Count::Of(stated) => stated,
    };
    let factor = usize::try_from(stated).ok().filter(|factor| *factor > 0);
    factor.ok_or_else(|| {
        Refusal::new(
            ErrorCode::InvalidReplicationFactor,
            "Replication factor was set to an invalid non-positive value.",
        )
    })
}

fn reachable(factor: usize, placement: &Placement) -> Result<usize, Refusal> {
    let brokers = placement.broker_count();
    if factor <= brokers {
        return Ok(factor);
    }
    Err(Refusal::new(
        ErrorCode::InvalidReplicationFactor,
        format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of \
             {factor} cannot be reached because only {brokers} broker(s) are registered."
        ),
    ))
}

fn partition_count(count: Count, default: i32) -> Result<usize, Refusal> {
    let stated = match count {
        Count::Default => default,
        Count::Of(stated) => stated,
    };
    match usize::try_from(stated) {
        Err(_) | Ok(0) => Err(Refusal::new(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        )),
        // Before anything of that size is made.
        Ok(count) if count > PARTITIONS_PER_TOPIC_MAX => Err(Refusal::new(
            ErrorCode::InvalidPartitions,
            format!("A topic has at most {PARTITIONS_PER_TOPIC_MAX} partitions."),
        )),
        Ok(count) => Ok(count),
    }
}

fn assigned_partitions(
    placement: &mut Placement,
    request: &NewTopicRequest,
) -> Result<Vec<NewTopicPartition>, Refusal> {
    let mut by_partition = BTreeMap::new();
    for (partition, brokers) in &request.assignments {
        if by_partition.insert(*partition, brokers).is_some() {
            return Err(Refusal::new(
                ErrorCode::InvalidReplicaAssignment,
                format!("Found multiple manual partition assignments for partition {partition}"),
            ));
        }
    }
    let mut partitions = Vec::with_capacity(by_partition.len());
    for (expected, (partition, brokers)) in (0i32..).zip(by_partition) {
        if partition != expected {
            return Err(Refusal::new(
                ErrorCode::InvalidReplicaAssignment,
                "partitions should be a consecutive 0-based integer sequence",
            ));
        }
        partitions.push(placement.partition_on(brokers));
    }
    Ok(partitions)
}

fn plan_configs(request: &NewTopicRequest) -> Result<BTreeMap<String, String>, Refusal> {
    let mut configs = BTreeMap::new();
    for (name, value) in &request.configs {
        let value = value.clone().ok_or_else(|| {
            Refusal::new(
                ErrorCode::InvalidConfig,
                format!("Null value not supported for topic configs: {name}"),
            )
        })?;
        configs.insert(name.clone(), value);
    }
    check_topic_configs(&configs)?;
    Ok(configs)
}

fn find(state: &Metadata, topic: &TopicReference) -> Result<TopicId, Refusal> {
    match topic {
        TopicReference::Name(name) => {
            let topic = state.topic_named(name).ok_or_else(unknown_topic)?;
            Ok(topic.id)
        }
        TopicReference::Id(id) => state.topic(*id).map(|topic| topic.id).ok_or_else(|| {
            Refusal::new(
                ErrorCode::UnknownTopicId,
                "This server does not host this topic ID.",
            )
        }),
    }
}

pub(crate) fn unknown_topic() -> Refusal {
    Refusal::new(
        ErrorCode::UnknownTopicOrPartition,
        "This server does not host this topic-partition.",
    )
}

pub(crate) fn other_answer() -> Refusal {
    Refusal::new(
        ErrorCode::UnknownServerError,
        "The answer to another command came.",
    )
}

/// Kafka's rule: an id whose text begins with `-` would look like an option to its tools.
fn random_topic_id() -> TopicId {
    loop {
        let id = TopicId(*uuid::Uuid::new_v4().as_bytes());
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}
