//! One file per API key: the request, the response and `handle` between them.

pub(crate) mod alter_client_quotas;
pub(crate) mod alter_configs;
pub(crate) mod alter_partition_reassignments;
mod alteration;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_groups;
pub(crate) mod delete_topics;
pub(crate) mod describe_client_quotas;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod describe_groups;
pub(crate) mod describe_log_dirs;
pub(crate) mod describe_topic_partitions;
pub(crate) mod elect_leaders;
pub(crate) mod get_telemetry_subscriptions;
pub(crate) mod heartbeat;
pub(crate) mod incremental_alter_configs;
pub(crate) mod init_producer_id;
pub(crate) mod join_group;
pub(crate) mod leave_group;
pub(crate) mod list_config_resources;
pub(crate) mod list_groups;
pub(crate) mod list_partition_reassignments;
pub(crate) mod offset_commit;
pub(crate) mod offset_delete;
pub(crate) mod offset_fetch;
pub(crate) mod push_telemetry;
pub(crate) mod sync_group;

use crate::api::Api;
use precursor_coordinator::{Client, Request, Response};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
use std::collections::BTreeMap;

/// Code and message of a refusal, as responses carry them.
fn error_fields(refusal: Refusal) -> (i16, Option<String>) {
    (refusal.error().code(), Some(refusal.message))
}

/// Why there is no such answer as was asked for.
fn coordinator_error(answer: Result<Response, ErrorCode>) -> i16 {
    match answer {
        Err(error) => error.code(),
        Ok(_) => ErrorCode::UnknownServerError.code(),
    }
}

/// Groups that share a coordinator, and its answer.
type OfGroups = (Vec<String>, Result<Response, ErrorCode>);

/// Asks the coordinator of every group, each once about all of its groups.
async fn each_coordinator(
    api: &Api,
    client: &Client,
    version: i16,
    group_ids: Vec<String>,
    ask: impl Fn(Vec<String>) -> Request,
) -> Vec<OfGroups> {
    let mut by_partition: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut nowhere = Vec::new();
    for group_id in group_ids {
        match api.coordinator.partition_of(&group_id) {
            Ok(partition) => by_partition.entry(partition).or_default().push(group_id),
            Err(_) => nowhere.push(group_id),
        }
    }
    if !nowhere.is_empty() {
        answers.push((nowhere, Err(ErrorCode::CoordinatorNotAvailable)));
    }
    for (partition, group_ids) in by_partition {
        let request = ask(group_ids.clone());
        let answer = api
            .coordinator
            .ask(partition, client.clone(), version, request)
            .await;
        answers.push((group_ids, answer));
    }
    answers
}
