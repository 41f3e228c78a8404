//! DescribeTopicPartitions, key 75, version 0 (KIP-966): topics in order of name, page by page.

use crate::api::Api;
use precursor_metadata::{Metadata, Topic};
use precursor_model::{ErrorCode, Operations, validate_topic_name};
pub(crate) use precursor_protocol::messages::DescribeTopicPartitionsRequest as Request;
use precursor_protocol::messages::DescribeTopicPartitionsResponse;
use precursor_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use std::collections::BTreeSet;

/// Kafka's `max.request.partition.size.limit`.
const PARTITIONS_MAX: usize = 2_000;

pub(crate) async fn handle(
    api: &Api,
    _version: i16,
    request: Request,
) -> DescribeTopicPartitionsResponse {
    if !cursor_is_sound(&request) {
        return refused(&request);
    }
    let limit = usize::try_from(request.response_partition_limit).unwrap_or(0);
    let limit = limit.clamp(1, PARTITIONS_MAX);
    let (first, from) = match &request.cursor {
        Some(cursor) => (
            cursor.topic_name.as_str(),
            cursor.partition_index.max(0) as usize,
        ),
        None => ("", 0),
    };
    // In order, each once; none named means all of them.
    let named: BTreeSet<&str> = request
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .collect();
    api.consensus.read(|state| {
        let mut page = Page {
            api,
            room: limit,
            response: DescribeTopicPartitionsResponse::default(),
        };
        let start = |name: &str| if name == first { from } else { 0 };
        if named.is_empty() {
            let topics = state.topics().filter(|topic| topic.name.as_str() >= first);
            for topic in topics {
                if !page.topic(topic, start(&topic.name)) {
                    break;
                }
            }
        } else {
            for name in named.range(first..) {
                if !page.named(state, name, start(name)) {
                    break;
                }
            }
        }
        page.response
    })
}

/// A page begins at a partition of a topic that is asked for.
fn cursor_is_sound(request: &Request) -> bool {
    let mut topics = request.topics.iter();
    request.cursor.as_ref().is_none_or(|cursor| {
        let named = topics.len() == 0 || topics.any(|topic| topic.name == cursor.topic_name);
        named && cursor.partition_index >= 0
    })
}

/// Every topic in the order of the request, none served.
fn refused(request: &Request) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter();
    let topics = topics.map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(topic.name.clone()),
        ..DescribeTopicPartitionsResponseTopic::default()
    });
    DescribeTopicPartitionsResponse {
        topics: topics.collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

struct Page<'a> {
    api: &'a Api,
    /// Partitions that still fit.
    room: usize,
    response: DescribeTopicPartitionsResponse,
}

impl Page<'_> {
    /// False: the page is full.
    fn named(&mut self, state: &Metadata, name: &str, from: usize) -> bool {
        if self.room == 0 {
            self.continues(name, 0);
            return false;
        }
        if let Some(topic) = state.topic_named(name) {
            return self.topic(topic, from);
        }
        let error = match validate_topic_name(name) {
            Ok(()) => ErrorCode::UnknownTopicOrPartition,
            Err(_) => ErrorCode::InvalidTopicException,
        };
        self.response
            .topics
            .push(DescribeTopicPartitionsResponseTopic {
                error_code: error.code(),
                name: Some(name.to_owned()),
                topic_authorized_operations: Operations::TOPIC,
                ..DescribeTopicPartitionsResponseTopic::default()
            });
        true
    }

    fn topic(&mut self, topic: &Topic, from: usize) -> bool {
        if self.room == 0 {
            self.continues(&topic.name, 0);
            return false;
        }
        let left = topic.partitions.len().saturating_sub(from);
        let taken = left.min(self.room);
        self.room -= taken;
        let partitions = topic.partitions.iter().enumerate().skip(from).take(taken);
        let partitions = partitions.map(|(index, partition)| {
            let own = self.api.settings.node.node_id;
            let local = partition
                .replicas
                .iter()
                .find(|replica| replica.broker == own);
            let error = local.and_then(|replica| self.api.view.log_error(replica.log));
            DescribeTopicPartitionsResponsePartition {
                error_code: error.map_or(0, ErrorCode::code),
                partition_index: index as i32,
                leader_id: partition.leader,
                leader_epoch: partition.leader_epoch,
                replica_nodes: partition.replicas.iter().map(|r| r.broker).collect(),
                isr_nodes: partition.isr.clone(),
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                ..DescribeTopicPartitionsResponsePartition::default()
            }
        });
        self.response
            .topics
            .push(DescribeTopicPartitionsResponseTopic {
                name: Some(topic.name.clone()),
                topic_id: topic.id,
                is_internal: topic.internal,
                partitions: partitions.collect(),
                topic_authorized_operations: Operations::TOPIC,
                ..DescribeTopicPartitionsResponseTopic::default()
            });
        if taken < left {
            self.continues(&topic.name, from + taken);
        }
        taken == left
    }

    fn continues(&mut self, topic: &str, from: usize) {
        self.response.next_cursor = Some(Cursor {
            topic_name: topic.to_owned(),
            partition_index: from as i32,
            ..Cursor::default()
        });
    }
}
