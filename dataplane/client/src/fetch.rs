//! Consuming: records from an offset on.

use std::time::{Duration, Instant};

use precursor_model::ErrorCode;
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::{FetchRequest, ListOffsetsRequest};
use precursor_protocol::records::{BatchView, Codec, Records, split_batches};

use crate::client::{Client, error_of, is_passing};
use crate::error::ClientError;

/// Bytes that one fetch brings, at most (one batch that is larger comes whole).
const FETCH_BYTES_MAX: i32 = 1 << 20;
/// Between two attempts at what passes by itself.
const PAUSE: Duration = Duration::from_millis(10);
/// Kafka's words for the ends of a log.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedRecord {
    pub offset: i64,
    /// Milliseconds since 1970; -1 = none.
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// What a fetch brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// In the order of their offsets; none when the wait was over first.
    pub records: Vec<FetchedRecord>,
    /// Where to fetch next.
    pub next_offset: i64,
    /// The offset behind the last record that can be read.
    pub high_watermark: i64,
}

impl Client {
    /// Reads records from `offset` on; waits up to `wait` for the first one.
    ///
    /// # Errors
    /// The offset is out of range, there is no such partition, or the connection broke.
    pub fn fetch(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        wait: Duration,
    ) -> Result<Fetched, ClientError> {
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: i32::try_from(wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: 1,
            max_bytes: FETCH_BYTES_MAX,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![FetchPartition {
                    partition,
                    current_leader_epoch: -1,
                    fetch_offset: offset,
                    last_fetched_epoch: -1,
                    log_start_offset: -1,
                    partition_max_bytes: FETCH_BYTES_MAX,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        let deadline = Instant::now() + self.options.request_timeout;
        loop {
            let response = self.request(&request, wait)?;
            let answer = response
                .responses
                .first()
                .and_then(|topic| topic.partitions.first())
                .ok_or_else(|| ClientError::Malformed("an answer of no partition".to_owned()))?;
            match error_of(answer.error_code) {
                ErrorCode::None => {
                    let mut fetched = Fetched {
                        next_offset: offset,
                        high_watermark: answer.high_watermark,
                        ..Fetched::default()
                    };
                    read(answer.records.as_deref().unwrap_or_default(), &mut fetched)?;
                    return Ok(fetched);
                }
                error => self.pass_or_fail(error, topic, partition, deadline)?,
            }
        }
    }

    /// The first offset of a partition that can be read, and the one behind the last.
    ///
    /// # Errors
    /// There is no such partition, or the connection broke.
    pub fn offsets(&mut self, topic: &str, partition: i32) -> Result<(i64, i64), ClientError> {
        Ok((
            self.offset_at(topic, partition, EARLIEST)?,
            self.offset_at(topic, partition, LATEST)?,
        ))
    }

    fn offset_at(&mut self, topic: &str, partition: i32, at: i64) -> Result<i64, ClientError> {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: partition,
                    current_leader_epoch: -1,
                    timestamp: at,
                    ..ListOffsetsPartition::default()
                }],
                ..ListOffsetsTopic::default()
            }],
            ..ListOffsetsRequest::default()
        };
        let deadline = Instant::now() + self.options.request_timeout;
        loop {
            let response = self.request(&request, Duration::ZERO)?;
            let answer = response
                .topics
                .first()
                .and_then(|topic| topic.partitions.first())
                .ok_or_else(|| ClientError::Malformed("an answer of no partition".to_owned()))?;
            match error_of(answer.error_code) {
                ErrorCode::None => return Ok(answer.offset),
                error => self.pass_or_fail(error, topic, partition, deadline)?,
            }
        }
    }

    /// Waits a moment, if the refusal passes by itself.
    fn pass_or_fail(
        &mut self,
        error: ErrorCode,
        topic: &str,
        partition: i32,
        deadline: Instant,
    ) -> Result<(), ClientError> {
        let what = format!("topic '{topic}', partition {partition}");
        let error = ClientError::refused(error, what);
        if !is_passing(&error) || Instant::now() >= deadline {
            return Err(error);
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}

/// Takes the records out of batches; the last one may be cut off, for a fetch ends anywhere.
pub(crate) fn read(bytes: &[u8], fetched: &mut Fetched) -> Result<(), ClientError> {
    let malformed = |what: String| ClientError::Malformed(what);
    let from = fetched.next_offset;
    for batch in split_batches(bytes) {
        let Ok(batch) = batch else {
            break;
        };
        fetched.next_offset = fetched.next_offset.max(batch.last_offset() + 1);
        if !batch.crc_is_right() {
            return Err(malformed("a batch whose checksum is wrong".to_owned()));
        }
        if batch.is_control() {
            continue;
        }
        match batch.codec() {
            Codec::None => take(&batch, batch.record_bytes(), from, &mut fetched.records)?,
            codec => {
                let plain = precursor_compression::decompress(codec, batch.record_bytes())
                    .map_err(|error| malformed(error.to_string()))?;
                take(&batch, &plain, from, &mut fetched.records)?;
            }
        }
    }
    Ok(())
}

fn take(
    batch: &BatchView<'_>,
    plain: &[u8],
    from: i64,
    records: &mut Vec<FetchedRecord>,
) -> Result<(), ClientError> {
    for record in Records::new(plain, batch.record_count()) {
        let record = record.map_err(|error| ClientError::Malformed(error.to_string()))?;
        let offset = batch.base_offset() + i64::from(record.offset_delta);
        if offset < from {
            continue;
        }
        let headers = record.headers.map(|header| {
            let value = header.value.map(<[u8]>::to_vec);
            (header.key.to_owned(), value)
        });
        records.push(FetchedRecord {
            offset,
            timestamp: batch.timestamp_of(&record),
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: headers.collect(),
        });
    }
    Ok(())
}
