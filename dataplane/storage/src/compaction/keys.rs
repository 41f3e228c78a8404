//! What a compacted topic asks of produced records: each has a key.

use crate::api::AppendError;
use precursor_protocol::records::BatchView;

/// Checks an uncompressed batch that is sound otherwise. Compressed ones are looked into by a worker,
/// by the same rule (see `prepare`).
///
/// # Errors
/// A record without a key (Kafka: `LogValidator.validateKey`).
pub(crate) fn check_keys(batch: &BatchView<'_>) -> Result<(), AppendError> {
    for record in batch.records() {
        let record = record.map_err(|_| AppendError::InvalidRecord)?;
        if record.key.is_none() {
            return Err(AppendError::InvalidRecord);
        }
    }
    Ok(())
}
