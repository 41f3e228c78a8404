//! DescribeGroups, key 15, versions 0–6.

use super::{coordinator_error, each_coordinator};
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_model::Operations;
pub(crate) use precursor_protocol::messages::DescribeGroupsRequest as Request;
use precursor_protocol::messages::DescribeGroupsResponse;
use precursor_protocol::messages::describe_groups_response::DescribedGroup;
use std::collections::HashMap;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> DescribeGroupsResponse {
    let operations = if request.include_authorized_operations {
        Operations::GROUP
    } else {
        Operations::UNKNOWN
    };
    let ask = |group_ids| Asked::DescribeGroups { group_ids };
    let places: HashMap<String, usize> = request.groups.iter().cloned().zip(0..).collect();
    let answers = each_coordinator(api, &client, version, request.groups, ask).await;
    let mut groups = Vec::new();
    for (group_ids, answer) in answers {
        match answer {
            Ok(Response::DescribeGroups(described)) => groups.extend(described),
            other => {
                let error_code = coordinator_error(other);
                groups.extend(group_ids.into_iter().map(|group_id| DescribedGroup {
                    error_code,
                    group_id,
                    ..DescribedGroup::default()
                }));
            }
        }
    }
    // Each coordinator answered for its own: back into the order of the request.
    groups.sort_by_key(|group| places.get(&group.group_id).copied());
    for group in &mut groups {
        group.authorized_operations = if group.error_code == 0 {
            operations
        } else {
            Operations::UNKNOWN
        };
    }
    DescribeGroupsResponse {
        groups,
        ..DescribeGroupsResponse::default()
    }
}
