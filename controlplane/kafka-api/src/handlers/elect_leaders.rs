//! ElectLeaders, key 43, versions 0 to 2 (KIP-460). The one replica of a partition leads it already.

use crate::api::Api;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::ElectLeadersRequest as Request;
use precursor_protocol::messages::ElectLeadersResponse;
use precursor_protocol::messages::elect_leaders_response::{
    PartitionResult, ReplicaElectionResult,
};
use std::collections::BTreeSet;

/// Kafka's `ElectionType`: preferred and unclean.
const ELECTION_TYPES: std::ops::RangeInclusive<i8> = 0..=1;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> ElectLeadersResponse {
    if !ELECTION_TYPES.contains(&request.election_type) {
        return refused(request);
    }
    // Null asks for all partitions that need one, of which there are none.
    let topics = request.topic_partitions.unwrap_or_default().into_iter();
    let results = topics.map(|topic| {
        let partitions: BTreeSet<i32> = topic.partitions.into_iter().collect();
        let count = api.consensus.read(|state| {
            state
                .topic_named(&topic.topic)
                .map_or(0, |t| t.partitions.len())
        });
        let result = |partition: i32| {
            let known = usize::try_from(partition).is_ok_and(|index| index < count);
            let (error, message) = if known {
                let message = "Leader election not needed for topic partition.";
                (ErrorCode::ElectionNotNeeded, message)
            } else {
                let message = "The topic or partition does not exist.";
                (ErrorCode::UnknownTopicOrPartition, message)
            };
            PartitionResult {
                partition_id: partition,
                error_code: error.code(),
                error_message: Some(message.to_owned()),
                ..PartitionResult::default()
            }
        };
        ReplicaElectionResult {
            partition_result: partitions.into_iter().map(result).collect(),
            topic: topic.topic,
            ..ReplicaElectionResult::default()
        }
    });
    ElectLeadersResponse {
        replica_election_results: results.collect(),
        ..ElectLeadersResponse::default()
    }
}

/// Every partition that is named, none of them looked at.
fn refused(request: Request) -> ElectLeadersResponse {
    let error_code = ErrorCode::InvalidRequest.code();
    let topics = request.topic_partitions.unwrap_or_default().into_iter();
    let results = topics.map(|topic| {
        let partitions = topic.partitions.into_iter();
        let partitions = partitions.map(|partition_id| PartitionResult {
            partition_id,
            error_code,
            ..PartitionResult::default()
        });
        ReplicaElectionResult {
            topic: topic.topic,
            partition_result: partitions.collect(),
            ..ReplicaElectionResult::default()
        }
    });
    ElectLeadersResponse {
        error_code,
        replica_election_results: results.collect(),
        ..ElectLeadersResponse::default()
    }
}
