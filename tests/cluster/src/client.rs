//! A blocking client of one connection, which hides nothing: requests and answers are separate, so
//! that tests can pipeline, stop reading, or die in between.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use precursor_protocol::header::{parse_response, request_header};
use precursor_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use precursor_protocol::messages::metadata_request::MetadataRequestTopic;
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, FetchRequest, FetchResponse, InitProducerIdRequest,
    InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest,
    MetadataResponse, ProduceRequest, ProduceResponse,
};
use precursor_protocol::{ApiKey, Message, Request};

use crate::batch::{self, Sequence, StoredRecord};

/// How long any answer may take before the test fails.
pub const ANSWER_SECONDS_MAX: u64 = 20;

pub(crate) const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
const LIST_OFFSETS_VERSION: i16 = 6;
const METADATA_VERSION: i16 = 12;
const CREATE_TOPICS_VERSION: i16 = 7;
const DELETE_TOPICS_VERSION: i16 = 5;
const INIT_PRODUCER_ID_VERSION: i16 = 4;

/// A Kafka error code where none was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub i16);

/// The partition is not served here, or not yet.
pub const NOT_LEADER_OR_FOLLOWER: Refused = Refused(6);

/// Why a call failed: the connection, or the broker's answer.
#[derive(Debug)]
pub enum CallError {
    Connection(io::Error),
    Refused(Refused),
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> CallError {
        CallError::Connection(error)
    }
}

fn accepted(code: i16) -> Result<(), CallError> {
    match code {
        0 => Ok(()),
        code => Err(CallError::Refused(Refused(code))),
    }
}

/// The answer to one produce of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Produced {
    pub error_code: i16,
    pub base_offset: i64,
}

/// The answer to one fetch of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub high_watermark: i64,
    pub records: Vec<StoredRecord>,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    correlation: i32,
}

fn broken<E: std::fmt::Debug>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{error:?}"))
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        stream.set_write_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        Ok(Connection::from_stream(stream))
    }

    pub fn from_stream(stream: TcpStream) -> Connection {
        Connection {
            stream,
            correlation: 0,
        }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// A request's frame, its length included, under the next correlation id.
    pub fn frame(&mut self, key: ApiKey, version: i16, body: &[u8]) -> Vec<u8> {
        self.correlation += 1;
        let mut frame = vec![0; 4];
        request_header(
            &mut frame,
            key,
            version,
            self.correlation,
            Some("cluster-tests"),
        );
        frame.extend_from_slice(body);
        let length = (frame.len() - 4) as i32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        frame
    }

    pub fn send(&mut self, key: ApiKey, version: i16, body: &[u8]) -> io::Result<i32> {
        let frame = self.frame(key, version, body);
        self.stream.write_all(&frame)?;
        Ok(self.correlation)
    }

    /// The next answer's frame, without its length.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(broken)?;
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        Ok(frame)
    }

    fn call(&mut self, key: ApiKey, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
        let wanted = self.send(key, version, body)?;
        let frame = self.receive()?;
        let (correlation, body) = parse_response(&frame, key, version).map_err(broken)?;
        if correlation != wanted {
            return Err(broken(format!("answer {correlation} to request {wanted}")));
        }
        Ok(body.to_vec())
    }

    /// Any request in any version, and its answer.
    pub fn ask<R: Request>(&mut self, request: &R, version: i16) -> io::Result<R::Response> {
        let mut body = Vec::new();
        request.encode(&mut body, version).map_err(broken)?;
        let answer = self.call(R::KEY, version, &body)?;
        let (response, _) = R::Response::decode_prefix(&answer, version).map_err(broken)?;
        Ok(response)
    }

    pub fn api_versions(&mut self) -> io::Result<ApiVersionsResponse> {
        let mut body = Vec::new();
        let request = ApiVersionsRequest {
            client_software_name: "cluster-tests".to_owned(),
            client_software_version: "1".to_owned(),
            ..Default::default()
        };
        request.encode(&mut body, 3).map_err(broken)?;
        let answer = self.call(ApiKey::ApiVersions, 3, &body)?;
        ApiVersionsResponse::decode(&answer, 3).map_err(broken)
    }

    /// Creates a topic on one replica with these options.
    pub fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        options: &[(&str, &str)],
    ) -> Result<(), CallError> {
        let configs = options.iter().map(|(name, value)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
            ..Default::default()
        });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs.collect(),
                ..Default::default()
            }],
            timeout_ms: 15_000,
            ..Default::default()
        };
        let mut body = Vec::new();
        request
            .encode(&mut body, CREATE_TOPICS_VERSION)
            .map_err(broken)?;
        let answer = self.call(ApiKey::CreateTopics, CREATE_TOPICS_VERSION, &body)?;
        let answer =
            CreateTopicsResponse::decode(&answer, CREATE_TOPICS_VERSION).map_err(broken)?;
        accepted(answer.topics.first().map_or(-1, |topic| topic.error_code))
    }

    pub fn delete_topic(&mut self, name: &str) -> Result<(), CallError> {
        let request = DeleteTopicsRequest {
            topic_names: vec![name.to_owned()],
            timeout_ms: 15_000,
            ..Default::default()
        };
        let mut body = Vec::new();
        request
            .encode(&mut body, DELETE_TOPICS_VERSION)
            .map_err(broken)?;
        let answer = self.call(ApiKey::DeleteTopics, DELETE_TOPICS_VERSION, &body)?;
        let answer =
            DeleteTopicsResponse::decode(&answer, DELETE_TOPICS_VERSION).map_err(broken)?;
        accepted(
            answer
                .responses
                .first()
                .map_or(-1, |topic| topic.error_code),
        )
    }

    /// Metadata of one topic, which is not created by asking.
    pub fn metadata(&mut self, topic: &str) -> io::Result<MetadataResponse> {
        let request = MetadataRequest {
            topics: Some(vec![MetadataRequestTopic {
                name: Some(topic.to_owned()),
                ..Default::default()
            }]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let mut body = Vec::new();
        request
            .encode(&mut body, METADATA_VERSION)
            .map_err(broken)?;
        let answer = self.call(ApiKey::Metadata, METADATA_VERSION, &body)?;
        MetadataResponse::decode(&answer, METADATA_VERSION).map_err(broken)
    }

    /// A fresh producer id and its epoch.
    pub fn init_producer_id(&mut self) -> Result<(i64, i16), CallError> {
        let request = InitProducerIdRequest {
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let mut body = Vec::new();
        request
            .encode(&mut body, INIT_PRODUCER_ID_VERSION)
            .map_err(broken)?;
        let answer = self.call(ApiKey::InitProducerId, INIT_PRODUCER_ID_VERSION, &body)?;
        let answer =
            InitProducerIdResponse::decode(&answer, INIT_PRODUCER_ID_VERSION).map_err(broken)?;
        accepted(answer.error_code)?;
        Ok((answer.producer_id, answer.producer_epoch))
    }

    /// Sends one batch; [`Connection::produced`] takes the answer.
    pub fn send_produce(
        &mut self,
        topic: &str,
        partition: i32,
        acks: i16,
        values: &[Vec<u8>],
        sequence: Option<Sequence>,
    ) -> io::Result<i32> {
        let records = batch::encode(values, sequence, now_ms());
        self.send_records(topic, partition, acks, records)
    }

    /// Sends these bytes as a partition's records, whatever they are.
    pub fn send_records(
        &mut self,
        topic: &str,
        partition: i32,
        acks: i16,
        records: Vec<u8>,
    ) -> io::Result<i32> {
        let body = produce_body(topic, partition, acks, records)?;
        self.send(ApiKey::Produce, PRODUCE_VERSION, &body)
    }

    pub fn produced(&mut self) -> io::Result<(i32, Produced)> {
        let frame = self.receive()?;
        let (correlation, body) =
            parse_response(&frame, ApiKey::Produce, PRODUCE_VERSION).map_err(broken)?;
        let answer = ProduceResponse::decode(body, PRODUCE_VERSION).map_err(broken)?;
        let partition = answer
            .responses
            .first()
            .and_then(|topic| topic.partition_responses.first())
            .ok_or_else(|| broken("a produce response without a partition"))?;
        let produced = Produced {
            error_code: partition.error_code,
            base_offset: partition.base_offset,
        };
        Ok((correlation, produced))
    }

    /// Produces one batch with acks=1 and waits for its answer; gives the base offset.
    pub fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        values: &[Vec<u8>],
    ) -> Result<i64, CallError> {
        self.send_produce(topic, partition, 1, values, None)?;
        let (_, produced) = self.produced()?;
        accepted(produced.error_code)?;
        Ok(produced.base_offset)
    }

    /// Asks for records from `offset` on, waiting up to `wait_ms` for the first byte.
    pub fn fetch(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        wait_ms: i32,
    ) -> Result<Fetched, CallError> {
        let body = fetch_body(topic, partition, offset, wait_ms)?;
        let answer = self.call(ApiKey::Fetch, FETCH_VERSION, &body)?;
        let answer = FetchResponse::decode(&answer, FETCH_VERSION).map_err(broken)?;
        accepted(answer.error_code)?;
        let topic = answer.responses.into_iter().next();
        let partition = topic.and_then(|topic| topic.partitions.into_iter().next());
        // Without sessions every asked partition is answered.
        let partition = partition.ok_or_else(|| broken("a fetch response without a partition"))?;
        accepted(partition.error_code)?;
        let mut records = batch::decode(&partition.records.unwrap_or_default()).map_err(broken)?;
        // Whole batches are sent, so the first may begin before the offset.
        records.retain(|record| record.offset >= offset);
        Ok(Fetched {
            high_watermark: partition.high_watermark,
            records,
        })
    }

    /// Fetches as a client does right after a start: a partition that is still being opened says
    /// so, and is asked again.
    pub fn fetch_when_open(&mut self, topic: &str, partition: i32, offset: i64) -> Fetched {
        let asked = Instant::now();
        loop {
            match self.fetch(topic, partition, offset, 500) {
                Err(CallError::Refused(NOT_LEADER_OR_FOLLOWER))
                    if asked.elapsed() < Duration::from_secs(10) => {}
                answer => return answer.expect("a fetch"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a fetch without waiting for its answer.
    pub fn send_fetch(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        wait_ms: i32,
    ) -> io::Result<i32> {
        let body = fetch_body(topic, partition, offset, wait_ms)?;
        self.send(ApiKey::Fetch, FETCH_VERSION, &body)
    }

    /// The offset for a timestamp; -2 means the earliest, -1 the end.
    pub fn offset_at(&mut self, topic: &str, partition: i32, when: i64) -> Result<i64, CallError> {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: partition,
                    current_leader_epoch: -1,
                    timestamp: when,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut body = Vec::new();
        request
            .encode(&mut body, LIST_OFFSETS_VERSION)
            .map_err(broken)?;
        let answer = self.call(ApiKey::ListOffsets, LIST_OFFSETS_VERSION, &body)?;
        let answer = ListOffsetsResponse::decode(&answer, LIST_OFFSETS_VERSION).map_err(broken)?;
        let partition = answer
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let partition = partition.ok_or_else(|| broken("no partition in the answer"))?;
        accepted(partition.error_code)?;
        Ok(partition.offset)
    }
}

/// A produce request's body for one partition.
pub fn produce_body(
    topic: &str,
    partition: i32,
    acks: i16,
    records: Vec<u8>,
) -> io::Result<Vec<u8>> {
    let request = ProduceRequest {
        acks,
        timeout_ms: 15_000,
        topic_data: vec![TopicProduceData {
            name: topic.to_owned(),
            partition_data: vec![PartitionProduceData {
                index: partition,
                records: Some(records),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, PRODUCE_VERSION).map_err(broken)?;
    Ok(body)
}

/// A fetch request's body for one partition, outside any session.
pub fn fetch_body(topic: &str, partition: i32, offset: i64, wait_ms: i32) -> io::Result<Vec<u8>> {
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms: wait_ms,
        min_bytes: 1,
        max_bytes: 8 << 20,
        session_id: 0,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![FetchPartition {
                partition,
                current_leader_epoch: -1,
                fetch_offset: offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body, FETCH_VERSION).map_err(broken)?;
    Ok(body)
}
