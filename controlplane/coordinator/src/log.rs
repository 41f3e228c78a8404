//! One partition of `__consumer_offsets`, as its coordinator reads and writes it.

use precursor_bridge::{DataPlane, HeldResponse, OwnError, PartitionPlace};
use precursor_compression::decompress;
use precursor_model::{ErrorCode, Offset};
use precursor_protocol::records::{Codec, Record, Records, split_batches};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes read at a time; between two reads others have their turn.
const READ_BYTES_MAX: i32 = 512 * 1024;
/// A partition that cannot be served at the moment is tried again this soon.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// How long an append may wait for durability (Kafka's `offsets.commit.timeout.ms`).
const APPEND_TIMEOUT_MS: i32 = 5_000;
/// How long an append is tried: a data plane that was killed is back within about a second.
const APPEND_PATIENCE: Duration = Duration::from_secs(10);

/// A partition's log, by way of the data plane.
#[derive(Clone)]
pub(crate) struct PartitionLog {
    pub data_plane: DataPlane,
    pub place: PartitionPlace,
}

/// How an append ended.
pub(crate) enum Appended {
    /// With the offset of its first record; or it is not there, or not known to be.
    Ended(Result<Offset, ErrorCode>),
    /// Not yet, and the answers that were held for it are forgotten: to be tried again.
    Not(Vec<u8>),
}

impl PartitionLog {
    /// Appends a batch, once; the shard sends what is held for it when it is there.
    pub async fn append_holding(&self, batch: Vec<u8>, held: Vec<HeldResponse>) -> Appended {
        let copy = batch.clone();
        let appended = self
            .data_plane
            .append(&self.place, copy, APPEND_TIMEOUT_MS, held)
            .await;
        match appended {
            Ok(offset) => Appended::Ended(Ok(offset)),
            Err(_) => Appended::Not(batch),
        }
    }

    /// Appends a batch; tries again while the data plane is away. The batch may be there more than
    /// once afterwards, which its reader must not mind.
    pub async fn append(&self, batch: Vec<u8>) -> Appended {
        Appended::Ended(self.append_patiently(batch).await)
    }

    async fn append_patiently(&self, batch: Vec<u8>) -> Result<Offset, ErrorCode> {
        let deadline = Instant::now() + APPEND_PATIENCE;
        loop {
            let appended = self
                .data_plane
                .append(&self.place, batch.clone(), APPEND_TIMEOUT_MS, Vec::new())
                .await;
            match appended {
                Ok(offset) => return Ok(offset),
                Err(error) if is_passing(error) && Instant::now() < deadline => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) => {
                    let partition = self.place.partition;
                    tracing::warn!(partition, %error, "an append to __consumer_offsets failed");
                    return Err(told(error));
                }
            }
        }
    }

    /// Where the log begins, and the offset that the next append gets; asked until it is answered.
    pub async fn offsets(&self) -> (Offset, Offset) {
        loop {
            match self.data_plane.offsets(&self.place).await {
                Ok(offsets) => return offsets,
                Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    /// Reads a piece from `offset` on: whole batches, the last one perhaps cut short.
    ///
    /// # Errors
    /// The log does not reach to `end` any more, or changed in another way.
    pub async fn read(&self, offset: Offset, end: Offset) -> Result<Vec<u8>, OwnError> {
        loop {
            let read = self.data_plane.read(&self.place, offset, READ_BYTES_MAX);
            match read.await {
                Ok(read) if read.high_watermark < end => {
                    return Err(OwnError::Kafka(ErrorCode::OffsetOutOfRange));
                }
                Ok(read) => return Ok(read.batches),
                // A data plane that went away may come back with less.
                Err(OwnError::Kafka(ErrorCode::NotLeaderOrFollower)) => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Hands every record from `offset` on to `take`; the offset after the last one.
pub(crate) fn walk(bytes: &[u8], offset: Offset, mut take: impl FnMut(&Record<'_>)) -> Offset {
    let mut next = offset;
    for batch in split_batches(bytes) {
        // The last one may be cut short by the bytes asked for: it comes whole next time.
        let Ok(batch) = batch else {
            break;
        };
        next = next.max(batch.last_offset() + 1);
        // Control batches (transactions) hold no state of groups.
        if batch.is_control() {
            continue;
        }
        // The topic's `compression.type` may have been set.
        let plain;
        let records = match batch.codec() {
            Codec::None => batch.record_bytes(),
            codec => match decompress(codec, batch.record_bytes()) {
                Ok(bytes) => {
                    plain = bytes;
                    &plain
                }
                Err(error) => {
                    tracing::error!(%error, "a batch of __consumer_offsets cannot be read");
                    continue;
                }
            },
        };
        for record in Records::new(records, batch.record_count()) {
            let Ok(record) = record else {
                tracing::error!("a record of __consumer_offsets cannot be read");
                break;
            };
            if batch.base_offset() + i64::from(record.offset_delta) >= offset {
                take(&record);
            }
        }
    }
    next
}

/// Whether trying again soon may help.
fn is_passing(error: OwnError) -> bool {
    matches!(
        error,
        OwnError::Lost
            | OwnError::Kafka(
                ErrorCode::NotLeaderOrFollower
                    | ErrorCode::LeaderNotAvailable
                    | ErrorCode::UnknownTopicOrPartition
                    | ErrorCode::NotEnoughReplicas
            )
    )
}

/// The error of an append in Kafka's words; what a client is told of it is the engine's to decide.
fn told(error: OwnError) -> ErrorCode {
    match error {
        OwnError::Lost => ErrorCode::LeaderNotAvailable,
        OwnError::Kafka(code) => code,
        OwnError::Refused | OwnError::Malformed => ErrorCode::UnknownServerError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::records::BatchBuilder;

    #[test]
    fn records_are_read_in_whatever_codec_the_log_has_them() {
        let codecs = [
            Codec::None,
            Codec::Gzip,
            Codec::Snappy,
            Codec::Lz4,
            Codec::Zstd,
        ];
        for codec in codecs {
            let mut builder = BatchBuilder::new();
            for key in [b"a", b"b", b"c"] {
                builder.append(1, Some(key), Some(b"value"), &[]);
            }
            let mut bytes = Vec::new();
            builder.build_with(&mut bytes, codec, |plain, out| {
                out.extend(precursor_compression::compress(codec, plain).unwrap());
            });
            let mut keys = Vec::new();
            let next = walk(&bytes, 1, |record| {
                keys.extend_from_slice(record.key.unwrap())
            });
            assert_eq!((next, keys.as_slice()), (3, &b"bc"[..]), "{codec:?}");
        }
    }
}
