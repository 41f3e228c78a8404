//! Appending to a partition of this broker, and reading it.

use crate::data_plane::{DataPlane, HeldResponse, OwnError};
use precursor_model::{ErrorCode, Offset};
use precursor_protocol::header::{parse_response, request_header};
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::messages::{
    FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, ProduceRequest,
    ProduceResponse,
};
use precursor_protocol::{ApiKey, DecodeError, EncodeError};

const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 11;
const LIST_OFFSETS_VERSION: i16 = 4;

/// Only labels: answers are told apart by their token.
const CLIENT_ID: &str = "broker";
/// `ListOffsetsRequest`'s stand-ins for a time.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// A partition and the shard that owns its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionPlace {
    pub shard: u16,
    pub topic: String,
    pub partition: i32,
}

/// What was read of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whole record batches, as they lie in the log; the first may begin before the offset asked.
    pub batches: Vec<u8>,
    pub high_watermark: Offset,
    pub log_start: Offset,
}

impl DataPlane {
    /// Appends record batches with acks=all; the offset of the first record. Then, and only then,
    /// the shard has sent the responses that were held for that.
    ///
    /// # Errors
    /// Nothing was appended, or it is unknown whether it was: so is whether a response has left, but
    /// the shard sends none to a request that has one already.
    pub async fn append(
        &self,
        place: &PartitionPlace,
        batches: Vec<u8>,
        timeout_ms: i32,
        held: Vec<HeldResponse>,
    ) -> Result<Offset, OwnError> {
        let data = PartitionProduceData {
            index: place.partition,
            records: Some(batches),
            ..PartitionProduceData::default()
        };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms,
            topic_data: vec![TopicProduceData {
                name: place.topic.clone(),
                partition_data: vec![data],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        let write = |out: &mut Vec<u8>| request.encode(out, PRODUCE_VERSION);
        let frame = frame(ApiKey::Produce, PRODUCE_VERSION, write)?;
        let answer = self.request_holding(place.shard, frame, held).await?;
        let body = body(&answer, ApiKey::Produce, PRODUCE_VERSION)?;
        let response = ProduceResponse::decode(body, PRODUCE_VERSION).map_err(unreadable)?;
        let topic = response.responses.first();
        let partition = topic.and_then(|topic| topic.partition_responses.first());
        let partition = partition.ok_or(OwnError::Malformed)?;
        outcome(partition.error_code)?;
        Ok(partition.base_offset)
    }

    /// Reads from `offset` on, about `bytes_max` bytes but at least one batch where there is one;
    /// never waits for more.
    ///
    /// # Errors
    /// Nothing could be read.
    pub async fn read(
        &self,
        place: &PartitionPlace,
        offset: Offset,
        bytes_max: i32,
    ) -> Result<Read, OwnError> {
        let partition = FetchPartition {
            partition: place.partition,
            current_leader_epoch: -1,
            fetch_offset: offset,
            log_start_offset: -1,
            partition_max_bytes: bytes_max,
            ..FetchPartition::default()
        };
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: bytes_max,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: place.topic.clone(),
                partitions: vec![partition],
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        let write = |out: &mut Vec<u8>| request.encode(out, FETCH_VERSION);
        let frame = frame(ApiKey::Fetch, FETCH_VERSION, write)?;
        let answer = self.request(place.shard, frame).await?;
        let body = body(&answer, ApiKey::Fetch, FETCH_VERSION)?;
        let mut response = FetchResponse::decode(body, FETCH_VERSION).map_err(unreadable)?;
        outcome(response.error_code)?;
        let topic = response.responses.first_mut();
        let partition = topic.and_then(|topic| topic.partitions.first_mut());
        let partition = partition.ok_or(OwnError::Malformed)?;
        outcome(partition.error_code)?;
        Ok(Read {
            batches: partition.records.take().unwrap_or_default(),
            high_watermark: partition.high_watermark,
            log_start: partition.log_start_offset,
        })
    }

    /// A partition's first offset, and the one after its last.
    ///
    /// # Errors
    /// The partition does not tell.
    pub async fn offsets(&self, place: &PartitionPlace) -> Result<(Offset, Offset), OwnError> {
        let (start, end) = tokio::join!(
            self.offset_at(place, EARLIEST),
            self.offset_at(place, LATEST)
        );
        Ok((start?, end?))
    }

    async fn offset_at(&self, place: &PartitionPlace, time: i64) -> Result<Offset, OwnError> {
        let partition = ListOffsetsPartition {
            partition_index: place.partition,
            current_leader_epoch: -1,
            timestamp: time,
            ..ListOffsetsPartition::default()
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: place.topic.clone(),
                partitions: vec![partition],
                ..ListOffsetsTopic::default()
            }],
            ..ListOffsetsRequest::default()
        };
        let write = |out: &mut Vec<u8>| request.encode(out, LIST_OFFSETS_VERSION);
        let frame = frame(ApiKey::ListOffsets, LIST_OFFSETS_VERSION, write)?;
        let answer = self.request(place.shard, frame).await?;
        let body = body(&answer, ApiKey::ListOffsets, LIST_OFFSETS_VERSION)?;
        let response = ListOffsetsResponse::decode(body, LIST_OFFSETS_VERSION);
        let response = response.map_err(unreadable)?;
        let topic = response.topics.first();
        let partition = topic.and_then(|topic| topic.partitions.first());
        let partition = partition.ok_or(OwnError::Malformed)?;
        outcome(partition.error_code)?;
        Ok(partition.offset)
    }
}

fn frame(
    key: ApiKey,
    version: i16,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, OwnError> {
    let mut frame = Vec::new();
    request_header(&mut frame, key, version, 0, Some(CLIENT_ID));
    write(&mut frame).map_err(|_| OwnError::Refused)?;
    Ok(frame)
}

fn body(answer: &[u8], key: ApiKey, version: i16) -> Result<&[u8], OwnError> {
    let (_, body) = parse_response(answer, key, version).map_err(unreadable)?;
    Ok(body)
}

fn unreadable(_: DecodeError) -> OwnError {
    OwnError::Malformed
}

fn outcome(code: i16) -> Result<(), OwnError> {
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None) => Ok(()),
        Some(error) => Err(OwnError::Kafka(error)),
        None => Err(OwnError::Kafka(ErrorCode::UnknownServerError)),
    }
}
