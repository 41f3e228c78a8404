//! ApiVersions, key 18, versions 0–5.

use crate::connection::Software;
use crate::core::{CloseReason, Core, Handled, Request};
use precursor_model::ErrorCode;
use precursor_protocol::api;
use precursor_protocol::messages::api_versions_response::ApiVersion;
use precursor_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(asked) = ApiVersionsRequest::decode(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    // A client's name and version decide nothing here; subscriptions to metrics go by them.
    if let Some(connection) = core.connections.get_mut(request.connection) {
        let (name, version) = (&asked.client_software_name, &asked.client_software_version);
        connection.software = Software::new(name, version);
    }
    // From version 5 a client says whom it believes to talk to: one that an old address has led
    // to another cluster or node is to begin anew with its bootstrap servers.
    let image = &core.image;
    let elsewhere = asked
        .cluster_id
        .is_some_and(|cluster| *cluster != *image.cluster_id);
    let other_node = asked.node_id >= 0 && asked.node_id != image.node_id;
    let error = if elsewhere || other_node {
        ErrorCode::RebootstrapRequired
    } else {
        ErrorCode::None
    };
    answer(core, request, request.version, error)
}

/// The answer to a version that is not served: version 0's body, with the error and the ranges, so
/// that the client can ask again (KIP-511).
pub(crate) fn refuse_version(core: &mut Core, request: &Request<'_>) -> Handled {
    answer(core, request, 0, ErrorCode::UnsupportedVersion)
}

fn answer(core: &mut Core, request: &Request<'_>, version: i16, error: ErrorCode) -> Handled {
    core.stats.other_requests.add(1);
    let response = ApiVersionsResponse {
        error_code: error.code(),
        throttle_time_ms: core.throttle_ms,
        api_keys: api::SERVED
            .iter()
            .map(|served| ApiVersion {
                api_key: served.key.code(),
                min_version: served.version_min_advertised,
                max_version: served.version_max,
                ..ApiVersion::default()
            })
            .collect(),
        ..ApiVersionsResponse::default()
    };
    super::answer_message(core, request, |out| response.encode(out, version))
}
