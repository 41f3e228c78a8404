//! The client against a broker that plays a script.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use precursor_model::ErrorCode;
use precursor_protocol::header::response_header;
use precursor_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use precursor_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use precursor_protocol::messages::{
    ApiVersionsResponse, ListOffsetsResponse, MetadataRequest, MetadataResponse,
};
use precursor_protocol::{ApiKey, RequestHeader};

use super::topic::{LATEST, Topic};
use super::*;

/// What the played broker offers and answers.
#[derive(Clone)]
struct Script {
    /// Key, lowest and highest version.
    offers: Vec<(ApiKey, i16, i16)>,
    topic_error: ErrorCode,
    /// How often ListOffsets is refused before it is answered.
    refusals: usize,
    refused_with: ErrorCode,
}

impl Script {
    fn usual() -> Script {
        Script {
            offers: vec![
                (ApiKey::ListOffsets, 1, 5),
                (ApiKey::Metadata, 0, 9),
                (ApiKey::ApiVersions, 0, 3),
            ],
            topic_error: ErrorCode::None,
            refusals: 0,
            refused_with: ErrorCode::NotLeaderOrFollower,
        }
    }

    /// Plays the broker on a thread that ends with the test.
    fn play(self) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let port = endpoint.port;
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that leaves is no news.
                let _ = self.clone().serve(stream.unwrap(), port);
            }
        });
        endpoint
    }

    fn serve(mut self, mut stream: TcpStream, port: u16) -> std::io::Result<()> {
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let mut frame = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut frame)?;
            let (header, body) = RequestHeader::parse(&frame).unwrap();
            let key = ApiKey::from_i16(header.api_key).unwrap();
            let mut out = vec![0; 4];
            response_header(&mut out, key, header.api_version, header.correlation_id);
            match key {
                ApiKey::ApiVersions => self.versions().encode(&mut out, header.api_version),
                ApiKey::Metadata => {
                    assert!(header.api_version <= 9, "more than was offered");
                    MetadataRequest::decode_prefix(body, header.api_version).unwrap();
                    self.metadata(port).encode(&mut out, header.api_version)
                }
                _ => self.offsets().encode(&mut out, header.api_version),
            }
            .unwrap();
            let length = (out.len() - 4) as u32;
            out[..4].copy_from_slice(&length.to_be_bytes());
            stream.write_all(&out)?;
        }
    }

    fn versions(&self) -> ApiVersionsResponse {
        let offers = self.offers.iter().map(|(key, low, high)| ApiVersion {
            api_key: key.code(),
            min_version: *low,
            max_version: *high,
            ..ApiVersion::default()
        });
        ApiVersionsResponse {
            api_keys: offers.collect(),
            ..ApiVersionsResponse::default()
        }
    }

    fn metadata(&self, port: u16) -> MetadataResponse {
        let partition = MetadataResponsePartition {
            partition_index: 0,
            leader_id: 7,
            ..MetadataResponsePartition::default()
        };
        MetadataResponse {
            brokers: vec![MetadataResponseBroker {
                node_id: 7,
                host: "127.0.0.1".to_owned(),
                port: port.into(),
                ..MetadataResponseBroker::default()
            }],
            topics: vec![MetadataResponseTopic {
                error_code: self.topic_error.code(),
                name: Some("t".to_owned()),
                partitions: vec![partition],
                ..MetadataResponseTopic::default()
            }],
            ..MetadataResponse::default()
        }
    }

    fn offsets(&mut self) -> ListOffsetsResponse {
        let error = match self.refusals.checked_sub(1) {
            Some(left) => {
                self.refusals = left;
                self.refused_with
            }
            None => ErrorCode::None,
        };
        ListOffsetsResponse {
            topics: vec![ListOffsetsTopicResponse {
                name: "t".to_owned(),
                partitions: vec![ListOffsetsPartitionResponse {
                    error_code: error.code(),
                    offset: 42,
                    ..ListOffsetsPartitionResponse::default()
                }],
                ..ListOffsetsTopicResponse::default()
            }],
            ..ListOffsetsResponse::default()
        }
    }
}

#[test]
fn what_passes_by_itself_is_waited_for() {
    let script = Script {
        refusals: 3,
        ..Script::usual()
    };
    let mut topic = Topic::find(&script.play(), "t", false).unwrap();
    assert_eq!(topic.partitions(), [0]);
    assert_eq!(topic.offset_at(0, LATEST).unwrap(), Some(42));
}

#[test]
fn what_does_not_pass_is_said_at_once() {
    let script = Script {
        refusals: usize::MAX,
        refused_with: ErrorCode::KafkaStorageError,
        ..Script::usual()
    };
    let mut topic = Topic::find(&script.play(), "t", false).unwrap();
    let failure = topic.offset_at(0, LATEST).unwrap_err();
    assert!(
        failure.sentence.contains("KAFKA_STORAGE_ERROR"),
        "{failure}"
    );
    assert!(failure.next.unwrap().contains("disk"));
    let failure = topic.offset_at(9, LATEST).unwrap_err();
    assert!(failure.sentence.contains("no partition 9"), "{failure}");
}

#[test]
fn a_missing_topic_names_the_command_that_makes_it() {
    let script = Script {
        topic_error: ErrorCode::UnknownTopicOrPartition,
        ..Script::usual()
    };
    let failure = Topic::find(&script.play(), "t", false).err().unwrap();
    assert!(failure.next.unwrap().contains("precursor topic create t"));
}

#[test]
fn a_broker_without_a_common_version_is_refused() {
    let script = Script {
        offers: vec![(ApiKey::Metadata, 99, 100)],
        ..Script::usual()
    };
    let mut connection = Connection::open(&script.play()).unwrap();
    let failure = connection.call(&MetadataRequest::default()).unwrap_err();
    assert!(
        failure.sentence.contains("does not offer Metadata"),
        "{failure}"
    );
}
