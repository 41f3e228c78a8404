//! ListPartitionReassignments, key 46, version 0 (KIP-455): replicas do not move, so there are none.

use crate::api::Api;
pub(crate) use precursor_protocol::messages::ListPartitionReassignmentsRequest as Request;
use precursor_protocol::messages::ListPartitionReassignmentsResponse;

pub(crate) async fn handle(
    _api: &Api,
    _version: i16,
    _request: Request,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
