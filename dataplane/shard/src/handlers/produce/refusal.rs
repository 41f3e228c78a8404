//! What Kafka looks at before it looks for the partition or the log, so that several mistakes in one
//! request are answered with the same one of them.

use precursor_model::ErrorCode;
use precursor_protocol::records::{BatchView, Codec, split_batches};
use precursor_protocol::views::ProduceRequestView;
use precursor_storage::AppendError;

/// Why no partition of the request is served: the first batch of one is damaged, or belongs to a
/// transaction while the request names none.
pub(super) fn of_everything(view: &ProduceRequestView<'_>) -> Option<ErrorCode> {
    let partitions = view.topic_data.into_iter().flat_map(|t| t.partition_data);
    for records in partitions.filter_map(|partition| partition.records) {
        match BatchView::parse(records) {
            Err(error) if error.code() == ErrorCode::CorruptMessage => {
                return Some(ErrorCode::CorruptMessage);
            }
            Ok(batch) if batch.is_transactional() => {
                // With a transactional id everybody may: there are no rules yet.
                let named = view.transactional_id.is_some();
                return (!named).then_some(ErrorCode::TransactionalIdAuthorizationFailed);
            }
            _ => {}
        }
    }
    None
}

/// What is wrong with the records' outer form: they must be one batch, in the newest format, in a
/// codec that the request's version has.
pub(super) fn of_shape(records: Option<&[u8]>, version: i16) -> Option<ErrorCode> {
    let mut batches = split_batches(records.unwrap_or_default());
    match batches.next() {
        None => Some(ErrorCode::InvalidRecord),
        Some(Err(error)) => Some(error.code()),
        Some(Ok(batch))
            if version < 7 && matches!(batch.codec(), Codec::Zstd | Codec::Unknown(_)) =>
        {
            Some(ErrorCode::UnsupportedCompressionType)
        }
        Some(Ok(_)) => (!batches.rest().is_empty()).then_some(ErrorCode::InvalidRecord),
    }
}

/// Whether the answer to a refused append says where the log begins: Kafka says it of refusals that
/// come from the records' contents or their producer.
pub(super) fn tells_log_start(error: AppendError) -> bool {
    match error {
        AppendError::Busy
        | AppendError::Unprepared
        | AppendError::NotOnline(_)
        | AppendError::NoSpace
        | AppendError::Corrupt
        | AppendError::TooLarge => false,
        AppendError::InvalidRecord
        | AppendError::InvalidTimestamp
        | AppendError::UnsupportedCompression
        | AppendError::InvalidTransactionState
        | AppendError::TransactionCoordinatorFenced
        | AppendError::OutOfOrderSequence
        | AppendError::InvalidProducerEpoch => true,
    }
}
