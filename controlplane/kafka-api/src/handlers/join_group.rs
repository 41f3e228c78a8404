//! JoinGroup, key 11, versions 0–9: the answer comes when the rebalance is over.

use super::coordinator_error;
use crate::api::Api;
use precursor_coordinator::{Client, Request as Asked, Response};
pub(crate) use precursor_protocol::messages::JoinGroupRequest as Request;
use precursor_protocol::messages::JoinGroupResponse;

pub(crate) async fn handle(
    api: &Api,
    client: Client,
    version: i16,
    request: Request,
) -> JoinGroupResponse {
    let group = request.group_id.clone();
    let member_id = request.member_id.clone();
    let asked = Asked::JoinGroup(request);
    match api
        .coordinator
        .ask_group(&group, client, version, asked)
        .await
    {
        Ok(Response::JoinGroup(response)) => response,
        other => JoinGroupResponse {
            error_code: coordinator_error(other),
            generation_id: -1,
            // Not nullable before version 7.
            protocol_name: (version < 7).then(String::new),
            member_id,
            ..JoinGroupResponse::default()
        },
    }
}
