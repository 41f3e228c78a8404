//! Claimed lengths and counts reserve nothing, and the hot path allocates nothing at all.

use precursor_memory::CountingAllocator;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::messages::{FetchRequest, MetadataRequest, ProduceRequest};
use precursor_protocol::messages::{fetch_request, produce_request};
use precursor_protocol::records::{BatchBuilder, BatchHeaderMut, Limits, validate_produce};
use precursor_protocol::views::{FetchRequestView, ProduceRequestView};
use precursor_protocol::writers::{
    FetchHead, FetchPartition, FetchResponseWriter, ProducePartition, ProduceResponseWriter,
};
use precursor_protocol::{DecodeError, Message, RequestHeader, every_message, header};

/// Bodies that are nothing but a claim, at each place where a count or length may stand.
fn bombs(length: usize) -> impl Iterator<Item = Vec<u8>> {
    let claims: [&[u8]; 5] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x00, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0x7f, 0xff],
    ];
    claims.into_iter().flat_map(move |claim| {
        [0, 1].into_iter().flat_map(move |fill| {
            (0..length).map(move |at| {
                let mut body = vec![fill; length];
                let end = length.min(at + claim.len());
                body[at..end].copy_from_slice(&claim[..end - at]);
                body
            })
        })
    })
}

fn bytes_to_decode<M: Message>(version: i16, body: &[u8]) -> u64 {
    let (_, counts) = CountingAllocator::counted(|| drop(M::decode_prefix(body, version)));
    counts.bytes
}

#[test]
fn claims_reserve_nothing() {
    assert!(CountingAllocator::is_installed());
    let mut most = 0;
    macro_rules! visit {
        ($name:ident) => {
            type M = precursor_protocol::messages::$name;
            for version in M::VERSION_MIN..=M::VERSION_MAX {
                for body in bombs(12).chain(bombs(40)) {
                    let bytes = bytes_to_decode::<M>(version, &body);
                    let name = stringify!($name);
                    assert!(
                        bytes < 16_384,
                        "{name} version {version}: {bytes} bytes for {body:?}"
                    );
                    most = most.max(bytes);
                }
            }
        };
    }
    macro_rules! in_a_block {
        ($name:ident) => {{
            visit!($name);
        }};
    }
    every_message!(in_a_block);
    println!("at most {most} bytes for 40 of body");
}

#[test]
fn many_tiny_elements_are_refused_before_memory_is_gone() {
    // 100 MiB of topics with an empty name: 2 bytes each on the wire, some 64 decoded.
    let count: u32 = 50 << 20;
    let mut body = Vec::new();
    let mut rest = count + 1;
    while rest >= 0x80 {
        body.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    body.push(rest as u8);
    body.resize(body.len() + 2 * count as usize, 1);
    let (result, counts) = CountingAllocator::counted(|| MetadataRequest::decode(&body, 9));
    assert_eq!(result.unwrap_err(), DecodeError::TooManyElements);
    assert_eq!(counts.total(), 0);
}

fn produce_body(version: i16) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..100 {
        builder.append(1000 + index, None, Some(b"a value of some length"), &[]);
    }
    let mut records = Vec::new();
    builder.build(&mut records);
    let partition = |index| produce_request::PartitionProduceData {
        index,
        records: Some(records.clone()),
        ..Default::default()
    };
    let request = ProduceRequest {
        acks: 1,
        topic_data: vec![produce_request::TopicProduceData {
            name: "topic".to_owned(),
            partition_data: vec![partition(0), partition(1)],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut frame = Vec::new();
    header::request_header(&mut frame, ProduceRequest::KEY, version, 5, Some("client"));
    request.encode(&mut frame, version).expect("a version");
    frame
}

#[test]
fn produce_allocates_nothing() {
    for version in 3..=11 {
        let frame = produce_body(version);
        let limits = Limits {
            batch_bytes_max: 1 << 20,
            produce_version: version,
        };
        let mut log = vec![0; 1 << 16];
        let mut out = Vec::with_capacity(4096);
        CountingAllocator::arm();
        let (head, body) = RequestHeader::parse(&frame).expect("a header");
        let view = ProduceRequestView::parse(body, version).expect("a body");
        header::response_header(&mut out, ProduceRequest::KEY, version, head.correlation_id);
        let mut writer = ProduceResponseWriter::new(&mut out, version, view.topic_data.len());
        for topic in view.topic_data {
            writer.topic(topic.name, TopicId::ZERO, topic.partition_data.len());
            for partition in topic.partition_data {
                let valid = validate_produce(partition.records, &limits).expect("valid");
                let copy = &mut log[..valid.batch.bytes().len()];
                copy.copy_from_slice(valid.batch.bytes());
                let mut batch = BatchHeaderMut::parse(copy).expect("a batch");
                batch.set_base_offset(77);
                batch.set_leader_epoch(1);
                batch.set_log_append_time(2000);
                writer.partition(&ProducePartition::refused(partition.index, ErrorCode::None));
            }
        }
        writer.finish(0).expect("counted");
        let counts = CountingAllocator::disarm();
        assert_eq!(counts.total(), 0, "version {version}");
    }
}

#[test]
fn fetch_allocates_nothing() {
    for version in 4..=12 {
        let request = FetchRequest {
            topics: vec![fetch_request::FetchTopic {
                topic: "topic".to_owned(),
                partitions: vec![fetch_request::FetchPartition::default(); 50],
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut body = Vec::new();
        request.encode(&mut body, version).expect("a version");
        let mut out = Vec::with_capacity(8192);
        CountingAllocator::arm();
        let view = FetchRequestView::parse(&body, version).expect("a body");
        let head = FetchHead {
            throttle_time_ms: 0,
            error: ErrorCode::None,
            session_id: 0,
        };
        let mut writer = FetchResponseWriter::new(&mut out, version, &head, view.topics.len());
        for topic in view.topics {
            writer.topic(topic.topic, topic.topic_id, topic.partitions.len());
            for partition in topic.partitions {
                writer.partition(&FetchPartition {
                    records_length: 4,
                    diverging_epoch: Some((1, 2)),
                    ..FetchPartition::refused(partition.partition, ErrorCode::None)
                });
                writer.records(b"data");
            }
        }
        writer.finish().expect("counted");
        let counts = CountingAllocator::disarm();
        assert_eq!(counts.total(), 0, "version {version}");
    }
}
