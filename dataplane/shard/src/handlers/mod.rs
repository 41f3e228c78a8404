//! What a shard does with requests: one file per API key, and this list of all.

pub(crate) mod api_versions;
pub(crate) mod delete_records;
pub(crate) mod describe_producers;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod follow;
pub(crate) mod forward;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
mod throttle;
pub(crate) mod write;

use crate::connection::is_own;
use crate::core::{CloseReason, Core, Handled, Request};
use precursor_memory::SlabKey as Key;
use precursor_protocol::api::{self, AnsweredBy};
use precursor_protocol::{ApiKey, EncodeError, RequestHeader};
use precursor_transport_port::ConnectionId;

/// Handles one frame (without its length prefix).
pub(crate) fn dispatch(core: &mut Core, connection: ConnectionId, frame: &[u8]) -> Handled {
    let Ok((header, body)) = RequestHeader::parse(frame) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let Some(served) = api::find_served(header.api_key) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let request = Request {
        connection,
        key: served.key,
        version: header.api_version,
        correlation_id: header.correlation_id,
        client_id: header.client_id,
        frame,
        body,
    };
    if !(served.version_min..=served.version_max).contains(&header.api_version) {
        return unsupported(core, &request);
    }
    if core.quotas.is_active() && !is_own(connection) {
        return throttle::handle(core, &request, served.answered_by);
    }
    handle(core, &request, served.answered_by)
}

/// Hands a request to its handler.
fn handle(core: &mut Core, request: &Request<'_>, by: AnsweredBy) -> Handled {
    match (by, request.key) {
        // The control plane is not asked back what it asks itself.
        (AnsweredBy::ControlPlane, _) if is_own(request.connection) => {
            Handled::Close(CloseReason::BadFrame)
        }
        (AnsweredBy::ControlPlane, _) => forward::handle(core, request),
        (_, ApiKey::Produce) => produce::handle(core, request),
        (_, ApiKey::Fetch) => fetch::handle(core, request),
        (_, ApiKey::ListOffsets) => list_offsets::handle(core, request),
        (_, ApiKey::Metadata) => metadata::handle(core, request),
        (_, ApiKey::ApiVersions) => api_versions::handle(core, request),
        (_, ApiKey::FindCoordinator) => find_coordinator::handle(core, request),
        (_, ApiKey::DescribeProducers) => describe_producers::handle(core, request),
        (_, ApiKey::DeleteRecords) => delete_records::handle(core, request),
        (_, ApiKey::OffsetForLeaderEpoch) => offset_for_leader_epoch::handle(core, request),
        // The list names a handler for each of its rows; the test below holds it to that.
        _ => Handled::Close(CloseReason::BadFrame),
    }
}

/// A version outside the served range. Only ApiVersions has a response that a client of any
/// version can read (KIP-511); for the rest Kafka too closes the connection, since the response's
/// own layout is in question.
fn unsupported(core: &mut Core, request: &Request<'_>) -> Handled {
    match request.key {
        ApiKey::ApiVersions => api_versions::refuse_version(core, request),
        _ => Handled::Close(CloseReason::BadFrame),
    }
}

/// Answers a request with a message that is written in one go.
fn answer_message(
    core: &mut Core,
    request: &Request<'_>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Handled {
    let key = core.begin_answer(request);
    let written = write(&mut core.answers[key].head);
    end(core, key, written)
}

/// Ends an answer that was written whole. One that cannot be written is our mistake: the connection
/// cannot go on without it.
pub(crate) fn end(core: &mut Core, key: Key, written: Result<(), EncodeError>) -> Handled {
    match written {
        Ok(()) => {
            core.finish_answer(key);
            Handled::Done
        }
        Err(_) => Handled::Close(CloseReason::Unanswerable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_key_has_a_handler() {
        let answered_here = [
            ApiKey::Produce,
            ApiKey::Fetch,
            ApiKey::ListOffsets,
            ApiKey::Metadata,
            ApiKey::ApiVersions,
            ApiKey::FindCoordinator,
            ApiKey::DeleteRecords,
            ApiKey::DescribeProducers,
            ApiKey::OffsetForLeaderEpoch,
        ];
        for served in api::SERVED {
            let here = answered_here.contains(&served.key);
            let by_us = served.answered_by == AnsweredBy::DataPlane;
            assert_eq!(here, by_us, "{:?}", served.key);
        }
    }
}
