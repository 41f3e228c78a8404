//! LeaveGroup, key 13, versions 0–5: one member, from version 3 several (KIP-345).

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
pub(crate) use precursor_protocol::messages::LeaveGroupRequest as Request;
use precursor_protocol::messages::LeaveGroupResponse;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> LeaveGroupResponse {
    let group = request.group_id.clone();
    let asked = Asked::LeaveGroup(request);
    match api
        .coordinator
        .ask_group(&group, client, version, asked)
        .await
    {
        Ok(Response::LeaveGroup(response)) => response,
        other => LeaveGroupResponse {
            error_code: coordinator_error(other),
            ..LeaveGroupResponse::default()
        },
    }
}
