//! Producing: one record at a time, and in batches.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use precursor_model::ErrorCode;
use precursor_protocol::messages::ProduceRequest;
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::native::{ProduceOne, ProducedOne};
use precursor_protocol::records::BatchBuilder;

use crate::client::{Client, error_of, is_passing};
use crate::error::ClientError;

/// Between two attempts at what passes by itself.
const PAUSE: Duration = Duration::from_millis(10);

/// A record to produce.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Milliseconds since 1970; `None` = now.
    pub timestamp: Option<i64>,
}

impl Client {
    /// Appends one record and waits until the broker has it (acks=1); returns its offset. The
    /// shortest way: over shared memory with [`crate::Wait::Poll`] no system call is made.
    ///
    /// A refusal that passes by itself (a log that is being recovered) is tried again.
    ///
    /// # Errors
    /// [`ClientError::ConnectionLost`] and [`ClientError::TimedOut`] leave open whether the record
    /// was appended; after [`ClientError::Refused`] it was not.
    pub fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<i64, ClientError> {
        let mut now = Instant::now();
        let deadline = now + self.options.request_timeout;
        loop {
            match self.produce_once((topic, partition), (key, value), now, deadline) {
                Err(error) if may_try_again(&error) && Instant::now() < deadline => {
                    // A topic that was deleted and made again has another id.
                    self.forget_topic(topic);
                    if is_passing(&error) {
                        std::thread::sleep(PAUSE);
                    } else {
                        self.topic(topic)?;
                    }
                    now = Instant::now();
                }
                outcome => return outcome,
            }
        }
    }

    fn produce_once(
        &mut self,
        (topic, partition): (&str, i32),
        (key, value): (Option<&[u8]>, &[u8]),
        now: Instant,
        deadline: Instant,
    ) -> Result<i64, ClientError> {
        let (topic_id, owner) = self.route(topic, partition)?;
        let correlation_id = self.next_correlation();
        let request = ProduceOne {
            correlation_id,
            topic_id,
            partition,
            timestamp: -1,
            key,
            value: Some(value),
        };
        let mut frame = std::mem::take(&mut self.scratch);
        frame.clear();
        if !request.encode(&mut frame) {
            return Err(ClientError::Usage(
                "a record longer than a frame can be".to_owned(),
            ));
        }
        let exchanged = self.link_at(owner, now).and_then(|link| {
            link.send_all(&frame, deadline)?;
            let answer = ProducedOne::parse(link.wait_frame(deadline)?);
            answer
                .filter(|answer| answer.correlation_id == correlation_id && answer.count == 1)
                .ok_or_else(|| ClientError::Malformed("no answer to a record".to_owned()))
        });
        self.scratch = frame;
        let answer = exchanged.map_err(|error| self.broken(error))?;
        if owner.is_none() && answer.shard >= 0 && self.has_shards() {
            self.owner_told(topic, partition, answer.shard);
        }
        match answer.error {
            ErrorCode::None => Ok(answer.base_offset),
            error => Err(ClientError::refused(
                error,
                format!("topic '{topic}', partition {partition}"),
            )),
        }
    }

    /// Appends records as one batch and waits until the broker has them (acks=1); returns the first
    /// one's offset. With [`crate::ClientOptions::write_in_place`] a long batch is written into memory of
    /// the log that the broker lends for it, if it lends some; it is sent elsewise.
    ///
    /// # Errors
    /// As [`Client::produce`]; all records are appended, or none.
    pub fn produce_batch(
        &mut self,
        topic: &str,
        partition: i32,
        records: &[Record<'_>],
    ) -> Result<i64, ClientError> {
        if records.is_empty() {
            return Err(ClientError::Usage("a batch of no records".to_owned()));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis() as i64);
        let mut builder = BatchBuilder::new();
        for record in records {
            let timestamp = record.timestamp.unwrap_or(now);
            builder.append(timestamp, record.key, record.value, record.headers);
        }
        let mut batch = Vec::with_capacity(builder.length());
        builder.build(&mut batch);
        if let Some(offset) = self.write_in_place(topic, partition, &batch)? {
            return Ok(offset);
        }
        let request = ProduceRequest {
            acks: 1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name: topic.to_owned(),
                partition_data: vec![PartitionProduceData {
                    index: partition,
                    records: Some(batch),
                    ..PartitionProduceData::default()
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        let deadline = Instant::now() + self.options.request_timeout;
        loop {
            let response = self.request(&request, Duration::ZERO)?;
            let answer = response
                .responses
                .first()
                .and_then(|topic| topic.partition_responses.first())
                .ok_or_else(|| ClientError::Malformed("an answer of no partition".to_owned()))?;
            let error = match error_of(answer.error_code) {
                ErrorCode::None => return Ok(answer.base_offset),
                error => {
                    ClientError::refused(error, format!("topic '{topic}', partition {partition}"))
                }
            };
            if !is_passing(&error) || Instant::now() >= deadline {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether a refused record may be appended by the same call again. It was not by this one.
fn may_try_again(error: &ClientError) -> bool {
    is_passing(error)
        || matches!(
            error,
            ClientError::Refused {
                error: ErrorCode::UnknownTopicId,
                ..
            }
        )
}
