//! ListGroups, key 16, versions 0–5: the groups of every coordinator of this broker.

use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::ListGroupsRequest as Request;
use precursor_protocol::messages::ListGroupsResponse;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> ListGroupsResponse {
    let mut response = ListGroupsResponse::default();
    for partition in api.coordinator.partitions_led() {
        let asked = Asked::ListGroups {
            states_filter: request.states_filter.clone(),
            types_filter: request.types_filter.clone(),
        };
        let answer = api
            .coordinator
            .ask(partition, client.clone(), version, asked);
        match answer.await {
            Ok(Response::ListGroups(Ok(groups))) => response.groups.extend(groups),
            // It has just gone elsewhere, and lists its groups there.
            Ok(Response::ListGroups(Err(ErrorCode::NotCoordinator)))
            | Err(ErrorCode::NotCoordinator) => {}
            Ok(Response::ListGroups(Err(error))) | Err(error) => {
                return ListGroupsResponse {
                    error_code: error.code(),
                    ..ListGroupsResponse::default()
                };
            }
            Ok(_) => {}
        }
    }
    response
}
