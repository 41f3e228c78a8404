//! Heartbeat, key 12, versions 0–4.

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::HeartbeatRequest as Request;
use precursor_protocol::messages::HeartbeatResponse;

const LOADING: i16 = ErrorCode::CoordinatorLoadInProgress.code();

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> HeartbeatResponse {
    let group = request.group_id.clone();
    let asked = Asked::Heartbeat(request);
    match api
        .coordinator
        .ask_group(&group, client, version, asked)
        .await
    {
        // Kafka's own courtesy: a coordinator that loads knows nothing against the member, and
        // clients take any other error but a few for the end.
        Ok(Response::Heartbeat(response)) if response.error_code == LOADING => {
            HeartbeatResponse::default()
        }
        Ok(Response::Heartbeat(response)) => response,
        other => HeartbeatResponse {
            error_code: coordinator_error(other),
            ..HeartbeatResponse::default()
        },
    }
}
