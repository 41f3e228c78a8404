//! The few frames that a measurement sends and reads, built once and patched in place, so that the
//! client spends its time on bytes and not on encoding.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use precursor_protocol::header::{request_header, response_header};
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use precursor_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use precursor_protocol::read::Reader;
use precursor_protocol::records::{BatchBuilder, HEADER_LENGTH, LOG_OVERHEAD};
use precursor_protocol::{DecodeError, Message, Request};

/// The versions that are sent: flexible, and naming topics by name.
pub const PRODUCE_VERSION: i16 = 9;
pub const FETCH_VERSION: i16 = 12;

/// Bytes of the length before each frame.
pub const LENGTH_BYTES: usize = 4;

/// Where the correlation id stands in a request, its length included: after length, key, version.
const REQUEST_CORRELATION: Range<usize> = 8..12;

/// The name that a measurement gives itself in its requests.
const CLIENT_ID: &str = "precursor-bench";

/// Stands for the offset while a Fetch is encoded, so that its place can be found.
const OFFSET_MARK: i64 = 0x7052_4543_5552_534f;

/// A batch of equal records without keys.
pub fn batch_of(records: usize, record_bytes: usize) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_millis() as i64);
    // Some text: what a record holds changes nothing for a broker that does not look at it.
    let value: Vec<u8> = (b'a'..=b'z').cycle().take(record_bytes).collect();
    let mut builder = BatchBuilder::new();
    for _ in 0..records {
        builder.append(now, None, Some(&value), &[]);
    }
    let mut batch = Vec::with_capacity(builder.length());
    builder.build(&mut batch);
    batch
}

/// A whole request whose changing fields are patched in place.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    pub bytes: Vec<u8>,
    /// Where a Fetch's offset stands.
    offset_at: usize,
}

impl RequestTemplate {
    /// A Produce of `batch` to one partition.
    pub fn produce(topic: &str, partition: i32, acks: i16, batch: &[u8]) -> RequestTemplate {
        let request = ProduceRequest {
            acks,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name: topic.to_owned(),
                partition_data: vec![PartitionProduceData {
                    index: partition,
                    records: Some(batch.to_vec()),
                    ..PartitionProduceData::default()
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        RequestTemplate {
            bytes: request_frame(&request, PRODUCE_VERSION),
            offset_at: 0,
        }
    }

    /// A Fetch of one partition outside any session, parked until `bytes_min` are there.
    pub fn fetch(
        topic: &str,
        partition: i32,
        wait_ms_max: i32,
        bytes_min: i32,
        bytes_max: i32,
    ) -> RequestTemplate {
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: wait_ms_max,
            min_bytes: bytes_min,
            max_bytes: bytes_max,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![FetchPartition {
                    partition,
                    current_leader_epoch: -1,
                    fetch_offset: OFFSET_MARK,
                    last_fetched_epoch: -1,
                    log_start_offset: -1,
                    partition_max_bytes: bytes_max,
                    ..FetchPartition::default()
                }],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        let bytes = request_frame(&request, FETCH_VERSION);
        let mark = OFFSET_MARK.to_be_bytes();
        let offset_at = bytes.windows(8).position(|window| window == mark);
        RequestTemplate {
            bytes,
            offset_at: offset_at.expect("the offset was just encoded"),
        }
    }

    pub fn set_correlation(&mut self, id: i32) {
        self.bytes[REQUEST_CORRELATION].copy_from_slice(&id.to_be_bytes());
    }

    /// Sets a Fetch's offset.
    pub fn set_offset(&mut self, offset: i64) {
        self.bytes[self.offset_at..self.offset_at + 8].copy_from_slice(&offset.to_be_bytes());
    }
}

fn request_frame<R: Request>(request: &R, version: i16) -> Vec<u8> {
    let mut frame = vec![0; LENGTH_BYTES];
    request_header(&mut frame, R::KEY, version, 0, Some(CLIENT_ID));
    request
        .encode(&mut frame, version)
        .expect("a constant shape in a version that has it");
    with_length(frame)
}

fn response_frame<R: Message>(response: &R, version: i16) -> Vec<u8> {
    let mut frame = vec![0; LENGTH_BYTES];
    response_header(&mut frame, R::KEY, version, 0);
    response
        .encode(&mut frame, version)
        .expect("a constant shape in a version that has it");
    with_length(frame)
}

fn with_length(mut frame: Vec<u8>) -> Vec<u8> {
    let length = (frame.len() - LENGTH_BYTES) as u32;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    frame
}

/// What a measurement wants of an answer to Produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProduceAnswer {
    pub correlation: i32,
    pub error: i16,
    pub base_offset: i64,
}

/// Reads an answer to Produce (one topic, one partition); `frame` is without its length.
///
/// # Errors
/// The bytes are no such answer.
pub fn read_produce_answer(frame: &[u8]) -> Result<ProduceAnswer, DecodeError> {
    let mut reader = Reader::new(frame, PRODUCE_VERSION, true);
    let correlation = reader.int32()?;
    reader.skip_tags()?;
    enter_partition(&mut reader)?;
    Ok(ProduceAnswer {
        correlation,
        error: reader.int16()?,
        base_offset: reader.int64()?,
    })
}

/// Enters the first partition of the first topic and passes its number.
fn enter_partition(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    // Compact counts are one more than what they count.
    let topics = reader.unsigned_varint()?;
    reader.str()?;
    let partitions = reader.unsigned_varint()?;
    reader.int32()?;
    if topics == 2 && partitions == 2 {
        Ok(())
    } else {
        Err(DecodeError::UnexpectedEnd)
    }
}

/// What a measurement wants of an answer to Fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchAnswer {
    pub correlation: i32,
    pub error: i16,
    pub records: u64,
    /// Bytes of batches.
    pub bytes: u64,
    /// One past the last record's offset; 0 when there is none.
    pub next_offset: i64,
}

/// Reads an answer to Fetch (one topic, one partition); `frame` is without its length. Batches are
/// hopped over by their lengths.
///
/// # Errors
/// The bytes are no such answer.
pub fn read_fetch_answer(frame: &[u8]) -> Result<FetchAnswer, DecodeError> {
    let mut reader = Reader::new(frame, FETCH_VERSION, true);
    let mut answer = FetchAnswer {
        correlation: reader.int32()?,
        ..FetchAnswer::default()
    };
    reader.skip_tags()?;
    let _throttle = reader.int32()?;
    answer.error = reader.int16()?;
    let _session = reader.int32()?;
    if answer.error != 0 {
        return Ok(answer);
    }
    enter_partition(&mut reader)?;
    answer.error = reader.int16()?;
    // High watermark, last stable offset, log start offset.
    reader.take(24)?;
    for _ in 0..reader.unsigned_varint()?.saturating_sub(1) {
        reader.take(16)?; // an aborted transaction
        reader.skip_tags()?;
    }
    let _preferred_read_replica = reader.int32()?;
    let records = reader.option_slice(true)?.unwrap_or_default();
    sum_batches(records, &mut answer)?;
    Ok(answer)
}

fn sum_batches(mut records: &[u8], answer: &mut FetchAnswer) -> Result<(), DecodeError> {
    while records.len() >= HEADER_LENGTH {
        let mut header = Reader::new(records, 0, false);
        let base_offset = header.int64()?;
        let length = usize::try_from(header.int32()?).map_err(|_| DecodeError::NegativeLength)?;
        header.take(11)?;
        let last_offset_delta = header.int32()?;
        header.take(30)?;
        let count = header.int32()?;
        let length = length + LOG_OVERHEAD;
        if length > records.len() {
            break; // Kafka may cut the last batch of an answer
        }
        answer.next_offset = base_offset + i64::from(last_offset_delta) + 1;
        answer.records += u64::try_from(count).map_err(|_| DecodeError::NegativeLength)?;
        answer.bytes += length as u64;
        records = &records[length..];
    }
    Ok(())
}

/// A whole answer to Produce for the null target: no error, offset 0.
pub fn produce_answer(topic: &str) -> Vec<u8> {
    let response = ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: topic.to_owned(),
            partition_responses: vec![PartitionProduceResponse {
                log_append_time_ms: -1,
                ..PartitionProduceResponse::default()
            }],
            ..TopicProduceResponse::default()
        }],
        ..ProduceResponse::default()
    };
    response_frame(&response, PRODUCE_VERSION)
}

/// A whole answer to Fetch for the null target.
pub fn fetch_answer(topic: &str, records: &[u8]) -> Vec<u8> {
    let response = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: topic.to_owned(),
            partitions: vec![PartitionData {
                high_watermark: i64::MAX,
                preferred_read_replica: -1,
                records: Some(records.to_vec()),
                ..PartitionData::default()
            }],
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    };
    response_frame(&response, FETCH_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::RequestHeader;
    use precursor_protocol::records::BatchView;
    use precursor_protocol::views::{FetchRequestView, ProduceRequestView};

    #[test]
    fn requests_are_what_a_broker_reads() {
        let batch = batch_of(1000, 100);
        let view = BatchView::parse(&batch).unwrap();
        assert!(view.crc_is_right() && view.record_count() == 1000);
        let mut produce = RequestTemplate::produce("t", 3, 1, &batch);
        produce.set_correlation(77);
        let (header, body) = RequestHeader::parse(&produce.bytes[LENGTH_BYTES..]).unwrap();
        assert_eq!((header.api_key, header.correlation_id), (0, 77));
        assert!(ProduceRequestView::parse(body, PRODUCE_VERSION).is_ok());
        let mut fetch = RequestTemplate::fetch("t", 3, 500, 1, 1 << 20);
        fetch.set_offset(123_456_789);
        let (header, body) = RequestHeader::parse(&fetch.bytes[LENGTH_BYTES..]).unwrap();
        assert_eq!(header.api_key, 1);
        assert!(FetchRequestView::parse(body, FETCH_VERSION).is_ok());
        let decoded = FetchRequest::decode(body, FETCH_VERSION).unwrap();
        let partition = &decoded.topics[0].partitions[0];
        assert_eq!(
            (partition.partition, partition.fetch_offset),
            (3, 123_456_789)
        );
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        let produced = read_produce_answer(&produce_answer("topic")[LENGTH_BYTES..]).unwrap();
        assert_eq!((produced.error, produced.base_offset), (0, 0));
        let batch = batch_of(10, 20);
        let frame = fetch_answer("topic", &[&batch[..], &batch, &batch[..70]].concat());
        let fetched = read_fetch_answer(&frame[LENGTH_BYTES..]).unwrap();
        assert_eq!(fetched.records, 20, "the cut batch does not count");
        assert_eq!(fetched.bytes, 2 * batch.len() as u64);
        assert_eq!(fetched.next_offset, 10);
        for end in 0..60 {
            assert!(read_fetch_answer(&frame[LENGTH_BYTES..LENGTH_BYTES + end]).is_err());
        }
    }
}
