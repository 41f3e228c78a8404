//! DescribeTopicPartitions, key 75, version 0 (KIP-966): topics in order of name, page by page.

use crate::api::Api;
use precursor_metadata::{Metadata, Topic};
use precursor_model::{ErrorCode, validate_topic_name};
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

struct Page<'a> {
    api: &'a Api,
    /// Partitions that still fit.
    room: usize,
    response: DescribeTopicPartitionsResponse,
}

impl Page<'_> {
    /// False: the page is full.
    fn named(&mut self, state: &Metadata, name: &str, from: usize) -> bool {
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
                ..DescribeTopicPartitionsResponseTopic::default()
            });
        true
    }

    fn topic(&mut self, topic: &Topic, from: usize) -> bool {
        let left = topic.partitions.len().saturating_sub(from);
        if self.room == 0 && left > 0 {
            self.continues(topic, from);
            return false;
        }
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
                ..DescribeTopicPartitionsResponseTopic::default()
            });
        if taken < left {
            self.continues(topic, from + taken);
        }
        taken == left
    }

    fn continues(&mut self, topic: &Topic, from: usize) {
        self.response.next_cursor = Some(Cursor {
            topic_name: topic.name.clone(),
            partition_index: from as i32,
            ..Cursor::default()
        });
    }
}
