//! The service `Topics`.

use crate::configs::change_one;
use crate::status::status;
use precursor_admin_api::v1;
use precursor_admin_api::v1::topics_server::Topics;
use precursor_kafka_api::{
    Api, ConfigChange, ConfigOperation, ConfigTarget, Count, NewTopicRequest, TopicReference,
};
use precursor_metadata::{Partition, Refusal, Topic};
use precursor_model::ErrorCode;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// Most topics in one page of a list.
const PAGE_SIZE_MAX: usize = 10_000;
/// How long a change may take to be agreed on.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct TopicsService {
    pub api: Arc<Api>,
}

fn count(stated: Option<u32>) -> Count {
    stated.map_or(Count::Default, |count| {
        // Too large for the protocol is too large for the bounds as well.
        Count::Of(i32::try_from(count).unwrap_or(i32::MAX))
    })
}

fn one<T>(outcomes: Vec<Result<T, Refusal>>) -> Result<T, Status> {
    let outcome = outcomes.into_iter().next();
    let outcome = outcome.ok_or_else(|| Status::internal("one request has one outcome"))?;
    outcome.map_err(|refusal| status(&refusal))
}

fn unknown(name: &str) -> Status {
    status(&Refusal::new(
        ErrorCode::UnknownTopicOrPartition,
        format!("There is no topic '{name}'."),
    ))
}

fn summary(topic: &Topic) -> v1::TopicSummary {
    v1::TopicSummary {
        name: topic.name.clone(),
        topic_id: topic.id.to_string(),
        partitions: topic.partitions.len() as u32,
        replication_factor: topic.replication_factor() as u32,
        internal: topic.internal,
    }
}

#[tonic::async_trait]
impl Topics for TopicsService {
    async fn create_topic(
        &self,
        request: Request<v1::CreateTopicRequest>,
    ) -> Result<Response<v1::CreateTopicResponse>, Status> {
        let request = request.into_inner();
        let configs = request.configs.into_iter();
        let topic = NewTopicRequest {
            name: request.name,
            partitions: count(request.partitions),
            replication_factor: count(request.replication_factor),
            assignments: Vec::new(),
            configs: configs.map(|(name, value)| (name, Some(value))).collect(),
        };
        let outcomes = self
            .api
            .create_topics(&[topic], request.validate_only, PATIENCE)
            .await;
        let made = one(outcomes)?;
        Ok(Response::new(v1::CreateTopicResponse {
            topic_id: if request.validate_only {
                String::new()
            } else {
                made.id.to_string()
            },
            partitions: made.partitions as u32,
            replication_factor: made.replication_factor as u32,
        }))
    }

    async fn list_topics(
        &self,
        request: Request<v1::ListTopicsRequest>,
    ) -> Result<Response<v1::ListTopicsResponse>, Status> {
        let request = request.into_inner();
        let size = match request.page_size as usize {
            0 => PAGE_SIZE_MAX,
            size => size.min(PAGE_SIZE_MAX),
        };
        // The token is the last name of the page before: names are unique and in order.
        let after = request.page_token;
        let topics: Vec<v1::TopicSummary> = self.api.consensus().read(|state| {
            let topics = state.topics().filter(|topic| {
                topic.name.starts_with(&request.prefix)
                    && (after.is_empty() || topic.name > after)
                    && (request.include_internal || !topic.internal)
            });
            topics.take(size + 1).map(summary).collect()
        });
        let mut response = v1::ListTopicsResponse {
            topics,
            next_page_token: String::new(),
        };
        if response.topics.len() > size {
            response.topics.truncate(size);
            let last = response.topics.last();
            response.next_page_token = last.map_or_else(String::new, |topic| topic.name.clone());
        }
        Ok(Response::new(response))
    }

    async fn describe_topic(
        &self,
        request: Request<v1::DescribeTopicRequest>,
    ) -> Result<Response<v1::DescribeTopicResponse>, Status> {
        let name = request.into_inner().name;
        let values = self
            .api
            .describe_configs(&ConfigTarget::Topic(name.clone()));
        let values = values.map_err(|_| unknown(&name))?;
        let response = self.api.consensus().read(|state| {
            let topic = state.topic_named(&name)?;
            let partitions = (0u32..).zip(&topic.partitions);
            Some(v1::DescribeTopicResponse {
                topic: Some(summary(topic)),
                partitions: partitions
                    .map(|(index, p)| self.partition(index, p))
                    .collect(),
                configs: values
                    .into_iter()
                    .map(|value| v1::TopicConfig {
                        is_default: !topic.configs.contains_key(&value.name),
                        name: value.name,
                        documentation: value.doc.to_owned(),
                        value: value.value,
                    })
                    .collect(),
            })
        });
        response.map(Response::new).ok_or_else(|| unknown(&name))
    }

    async fn delete_topic(
        &self,
        request: Request<v1::DeleteTopicRequest>,
    ) -> Result<Response<v1::DeleteTopicResponse>, Status> {
        use v1::delete_topic_request::Topic;
        let topic = match request.into_inner().topic {
            Some(Topic::Name(name)) => TopicReference::Name(name),
            Some(Topic::TopicId(id)) => TopicReference::Id(
                id.parse()
                    .map_err(|error| Status::invalid_argument(format!("{error}")))?,
            ),
            None => return Err(Status::invalid_argument("a topic's name or id is needed")),
        };
        let outcomes = self
            .api
            .delete_topics(std::slice::from_ref(&topic), PATIENCE)
            .await;
        one(outcomes).map_err(|refused| match &topic {
            TopicReference::Name(name) if refused.code() == tonic::Code::NotFound => unknown(name),
            _ => refused,
        })?;
        Ok(Response::new(v1::DeleteTopicResponse {}))
    }

    async fn create_partitions(
        &self,
        request: Request<v1::CreatePartitionsRequest>,
    ) -> Result<Response<v1::CreatePartitionsResponse>, Status> {
        let request = request.into_inner();
        let total = i32::try_from(request.partitions).unwrap_or(i32::MAX);
        self.api
            .create_partitions(&request.name, total, &[], false, PATIENCE)
            .await
            .map_err(|refusal| match refusal.error() {
                ErrorCode::UnknownTopicOrPartition => unknown(&request.name),
                _ => status(&refusal),
            })?;
        Ok(Response::new(v1::CreatePartitionsResponse {}))
    }

    async fn alter_topic_config(
        &self,
        request: Request<v1::AlterTopicConfigRequest>,
    ) -> Result<Response<v1::AlterTopicConfigResponse>, Status> {
        let request = request.into_inner();
        let set = request.set.into_iter();
        let set = set.map(|(name, value)| (name, ConfigOperation::Set(value)));
        let unset = request.unset.into_iter();
        let unset = unset.map(|name| (name, ConfigOperation::Delete));
        let change = ConfigChange {
            target: ConfigTarget::Topic(request.name.clone()),
            operations: set.chain(unset).collect(),
            replace: false,
        };
        let changed = change_one(&self.api, change, request.validate_only).await;
        changed.map_err(|refused| match refused.code() {
            tonic::Code::NotFound => unknown(&request.name),
            _ => refused,
        })?;
        Ok(Response::new(v1::AlterTopicConfigResponse {}))
    }
}

impl TopicsService {
    fn partition(&self, index: u32, partition: &Partition) -> v1::Partition {
        let node_id = self.api.settings().node.node_id;
        let mut replicas = partition.replicas.iter();
        let own = replicas.find(|replica| replica.broker == node_id);
        let error = own.and_then(|replica| self.api.data_plane().log_error(replica.log));
        v1::Partition {
            partition: index,
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replicas.iter().map(|r| r.broker).collect(),
            in_sync_replicas: partition.isr.clone(),
            error: error.map_or_else(String::new, |error| error.name().to_owned()),
        }
    }
}
