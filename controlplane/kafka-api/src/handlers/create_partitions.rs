//! CreatePartitions, key 37, versions 0 to 3.

use super::error_fields;
use crate::api::{Api, patience};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::CreatePartitionsRequest as Request;
use precursor_protocol::messages::CreatePartitionsResponse;
use precursor_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use precursor_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use std::collections::BTreeMap;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> CreatePartitionsResponse {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let limit = patience(request.timeout_ms);
    let mut results = Vec::new();
    for topic in request.topics {
        let outcome = match times.insert(topic.name.clone(), 0) {
            // Told already.
            Some(0) => continue,
            Some(1) | None => grow(api, &topic, request.validate_only, limit).await,
            Some(_) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "Duplicate topic in request.",
            )),
        };
        let (error_code, error_message) = outcome.err().map_or((0, None), error_fields);
        // A request may name very many.
        tokio::task::yield_now().await;
        results.push(CreatePartitionsTopicResult {
            name: topic.name,
            error_code,
            error_message,
            ..CreatePartitionsTopicResult::default()
        });
    }
    CreatePartitionsResponse {
        results,
        ..CreatePartitionsResponse::default()
    }
}

async fn grow(
    api: &Api,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
    limit: std::time::Duration,
) -> Result<(), Refusal> {
    let assignments: Vec<Vec<i32>> = topic
        .assignments
        .iter()
        .flatten()
        .map(|assignment| assignment.broker_ids.clone())
        .collect();
    api.create_partitions(&topic.name, topic.count, &assignments, validate_only, limit)
        .await
}
