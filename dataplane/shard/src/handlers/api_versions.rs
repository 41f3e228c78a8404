//! ApiVersions, key 18, versions 0–4.

use crate::core::{CloseReason, Core, Handled, Request};
use precursor_model::ErrorCode;
use precursor_protocol::api;
use precursor_protocol::messages::api_versions_response::ApiVersion;
use precursor_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    // Read for its form alone: a client's name and version decide nothing here.
    if ApiVersionsRequest::decode(request.body, request.version).is_err() {
        return Handled::Close(CloseReason::BadFrame);
    }
    answer(core, request, request.version, ErrorCode::None)
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
