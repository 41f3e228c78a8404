//! InitProducerId, key 22, versions 0 to 5: for idempotent producers, which have no transactional
//! id.

use crate::api::Api;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::InitProducerIdRequest as Request;
use precursor_protocol::messages::InitProducerIdResponse;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> InitProducerIdResponse {
    let refused = |error: ErrorCode| InitProducerIdResponse {
        error_code: error.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    match request.transactional_id.as_deref() {
        Some("") => refused(ErrorCode::InvalidRequest),
        // There are no transactions yet. Not an error that clients retry: they would for ever.
        Some(_) => refused(ErrorCode::UnsupportedVersion),
        // A producer that bumps its epoch (version 3, KIP-360) gets a new id, which does the same:
        // Kafka treats a producer without a transactional id so, too.
        None => match api.next_producer_id().await {
            Ok(producer_id) => InitProducerIdResponse {
                producer_id,
                producer_epoch: 0,
                ..InitProducerIdResponse::default()
            },
            // The one that clients retry after a pause.
            Err(refusal) if refusal.error() == ErrorCode::RequestTimedOut => {
                refused(ErrorCode::CoordinatorLoadInProgress)
            }
            Err(refusal) if refusal.error() == ErrorCode::NotController => {
                refused(ErrorCode::CoordinatorNotAvailable)
            }
            Err(refusal) => refused(refusal.error()),
        },
    }
}
