//! AlterPartitionReassignments, key 45, versions 0 and 1 (KIP-455). Replicas stay where they are.

use super::error_fields;
use crate::api::Api;
use precursor_metadata::{Metadata, Refusal};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::AlterPartitionReassignmentsRequest as Request;
use precursor_protocol::messages::AlterPartitionReassignmentsResponse;
use precursor_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};

pub(crate) async fn handle(
    api: &Api,
    _version: i16,
    request: Request,
) -> AlterPartitionReassignmentsResponse {
    let responses = api.consensus.read(|state| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter().map(|partition| {
                let index = partition.partition_index;
                let outcome = reassign(state, &topic.name, index, partition.replicas.as_deref());
                let (error_code, error_message) = outcome.err().map_or((0, None), error_fields);
                ReassignablePartitionResponse {
                    partition_index: index,
                    error_code,
                    error_message,
                    ..ReassignablePartitionResponse::default()
                }
            });
            ReassignableTopicResponse {
                partitions: partitions.collect(),
                name: topic.name.clone(),
                ..ReassignableTopicResponse::default()
            }
        });
        topics.collect()
    });
    AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        responses,
        ..AlterPartitionReassignmentsResponse::default()
    }
}

fn reassign(
    state: &Metadata,
    topic: &str,
    partition: i32,
    replicas: Option<&[i32]>,
) -> Result<(), Refusal> {
    let topic = state.topic_named(topic);
    let partition = usize::try_from(partition).ok();
    let Some(partition) = topic.zip(partition).and_then(|(t, p)| t.partitions.get(p)) else {
        return Err(Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            "The partition does not exist.",
        ));
    };
    let invalid = |message: String| Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
    match replicas {
        None => Err(Refusal::new(
            ErrorCode::NoReassignmentInProgress,
            "No partition reassignment is in progress.",
        )),
        Some([]) => invalid("The replica list must not be empty.".into()),
        Some(replicas) => {
            if let Some(broker) = replicas.iter().find(|id| state.broker(**id).is_none()) {
                return invalid(format!(
                    "The assignment includes broker {broker}, but no such broker is registered."
                ));
            }
            if !replicas
                .iter()
                .eq(partition.replicas.iter().map(|r| &r.broker))
            {
                return invalid("Replicas do not move between brokers yet.".into());
            }
            Ok(())
        }
    }
}
