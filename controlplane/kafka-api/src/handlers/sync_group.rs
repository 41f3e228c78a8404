//! SyncGroup, key 14, versions 0–5: the answer comes when the leader has assigned.

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::SyncGroupRequest as Request;
use precursor_protocol::messages::SyncGroupResponse;

const LOADING: i16 = ErrorCode::CoordinatorLoadInProgress.code();

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> SyncGroupResponse {
    let group = request.group_id.clone();
    let asked = Asked::SyncGroup(request);
    match api
        .coordinator
        .ask_group(&group, client, version, asked)
        .await
    {
        // As Kafka: the member joins again, and by then the coordinator has loaded.
        Ok(Response::SyncGroup(response)) if response.error_code == LOADING => SyncGroupResponse {
            error_code: ErrorCode::RebalanceInProgress.code(),
            ..response
        },
        Ok(Response::SyncGroup(response)) => response,
        other => SyncGroupResponse {
            error_code: coordinator_error(other),
            ..SyncGroupResponse::default()
        },
    }
}
