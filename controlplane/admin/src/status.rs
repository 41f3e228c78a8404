//! Kafka's refusals as gRPC statuses.

use precursor_admin_api::KAFKA_ERROR_KEY;
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The status for a refusal, with Kafka's name of the error in its metadata.
pub(crate) fn status(refusal: &Refusal) -> Status {
    let error = refusal.error();
    let code = match error {
        ErrorCode::TopicAlreadyExists => Code::AlreadyExists,
        ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId => Code::NotFound,
        ErrorCode::InvalidTopicException
        | ErrorCode::InvalidPartitions
        | ErrorCode::InvalidReplicaAssignment
        | ErrorCode::InvalidConfig
        | ErrorCode::InvalidRequest => Code::InvalidArgument,
        ErrorCode::InvalidReplicationFactor | ErrorCode::PolicyViolation => {
            Code::FailedPrecondition
        }
        ErrorCode::NotController => Code::Unavailable,
        ErrorCode::RequestTimedOut => Code::DeadlineExceeded,
        _ => Code::Internal,
    };
    let mut status = Status::new(code, refusal.message.clone());
    let name = MetadataValue::from_static(error.name());
    status.metadata_mut().insert(KAFKA_ERROR_KEY, name);
    status
}
