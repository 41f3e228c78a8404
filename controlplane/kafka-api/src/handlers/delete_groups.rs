//! DeleteGroups, key 42, versions 0–3.

use super::{coordinator_error, each_coordinator};
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
pub(crate) use precursor_protocol::messages::DeleteGroupsRequest as Request;
use precursor_protocol::messages::DeleteGroupsResponse;
use precursor_protocol::messages::delete_groups_response::DeletableGroupResult;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> DeleteGroupsResponse {
    let mut names = request.groups_names;
    // A group is deleted once, however often it is named.
    names.sort_unstable();
    names.dedup();
    let ask = |group_ids| Asked::DeleteGroups { group_ids };
    let answers = each_coordinator(api, &client, version, names, ask).await;
    let mut results = Vec::new();
    for (group_ids, answer) in answers {
        match answer {
            Ok(Response::DeleteGroups(deleted)) => results.extend(deleted),
            other => {
                let error_code = coordinator_error(other);
                results.extend(group_ids.into_iter().map(|group_id| DeletableGroupResult {
                    group_id,
                    error_code,
                    ..DeletableGroupResult::default()
                }));
            }
        }
    }
    DeleteGroupsResponse {
        results,
        ..DeleteGroupsResponse::default()
    }
}
