//! Whole requests answered with one error, in the form that the request has.

use crate::command::{Request, Response};
use crate::offsets;
use precursor_model::ErrorCode;
use precursor_protocol::messages::delete_groups_response::DeletableGroupResult;
use precursor_protocol::messages::describe_groups_response::DescribedGroup;
use precursor_protocol::messages::{
    HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupResponse,
    OffsetDeleteResponse, SyncGroupResponse,
};

/// The answer that says nothing but the error.
pub(crate) fn refused(request: &Request, version: i16, error: ErrorCode) -> Response {
    let error_code = error.code();
    match request {
        Request::JoinGroup(request) => Response::JoinGroup(join(request, version, error)),
        Request::SyncGroup(_) => Response::SyncGroup(SyncGroupResponse {
            error_code,
            ..SyncGroupResponse::default()
        }),
        Request::Heartbeat(_) => Response::Heartbeat(HeartbeatResponse {
            error_code,
            ..HeartbeatResponse::default()
        }),
        Request::LeaveGroup(_) => Response::LeaveGroup(LeaveGroupResponse {
            error_code,
            ..LeaveGroupResponse::default()
        }),
        Request::OffsetCommit(request) => {
            Response::OffsetCommit(offsets::commit_refused(request, error))
        }
        Request::OffsetFetch { group, .. } => {
            Response::OffsetFetch(offsets::fetch_refused(group, error))
        }
        Request::OffsetDelete(_) => Response::OffsetDelete(OffsetDeleteResponse {
            error_code,
            ..OffsetDeleteResponse::default()
        }),
        Request::DescribeGroups { group_ids } => {
            Response::DescribeGroups(group_ids.iter().map(|id| described(id, error)).collect())
        }
        Request::ListGroups { .. } => Response::ListGroups(Err(error)),
        Request::DeleteGroups { group_ids } => {
            Response::DeleteGroups(group_ids.iter().map(|id| deletion(id, error)).collect())
        }
    }
}

/// A JoinGroup with an error: no generation, no protocol, the member's own id.
pub(crate) fn join(
    request: &JoinGroupRequest,
    version: i16,
    error: ErrorCode,
) -> JoinGroupResponse {
    join_as(&request.member_id, version, error)
}

pub(crate) fn join_as(member_id: &str, version: i16, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        member_id: member_id.to_owned(),
        // Null in version 7 and later, which older versions cannot say.
        protocol_name: (version < 7).then(String::new),
        ..JoinGroupResponse::default()
    }
}

pub(crate) fn described(group_id: &str, error: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code: error.code(),
        group_id: group_id.to_owned(),
        ..DescribedGroup::default()
    }
}

pub(crate) fn deletion(group_id: &str, error: ErrorCode) -> DeletableGroupResult {
    DeletableGroupResult {
        group_id: group_id.to_owned(),
        error_code: error.code(),
        ..DeletableGroupResult::default()
    }
}

/// A prepared answer whose append failed.
pub(crate) fn failed(response: Response, append_error: ErrorCode) -> Response {
    use crate::turn::client_error;
    match response {
        Response::OffsetCommit(mut response) => {
            let error = client_error(append_error, ErrorCode::InvalidCommitOffsetSize);
            for partition in response.topics.iter_mut().flat_map(|t| &mut t.partitions) {
                // Partitions that were refused before keep their own error.
                if partition.error_code == 0 {
                    partition.error_code = error.code();
                }
            }
            Response::OffsetCommit(response)
        }
        Response::OffsetDelete(_) => Response::OffsetDelete(OffsetDeleteResponse {
            error_code: client_error(append_error, ErrorCode::UnknownServerError).code(),
            ..OffsetDeleteResponse::default()
        }),
        Response::LeaveGroup(_) => Response::LeaveGroup(LeaveGroupResponse {
            error_code: client_error(append_error, ErrorCode::UnknownServerError).code(),
            ..LeaveGroupResponse::default()
        }),
        Response::JoinGroup(response) => {
            let error = client_error(append_error, ErrorCode::UnknownServerError);
            Response::JoinGroup(JoinGroupResponse {
                error_code: error.code(),
                member_id: response.member_id,
                protocol_name: response.protocol_name.map(|_| String::new()),
                ..JoinGroupResponse::default()
            })
        }
        other => other,
    }
}
