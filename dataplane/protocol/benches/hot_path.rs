//! What the hot path's pieces cost: `cargo bench -p precursor-protocol`. Prints nanoseconds.

use precursor_memory::crc32c;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::messages::{ProduceRequest, produce_request};
use precursor_protocol::records::{
    BatchBuilder, BatchHeaderMut, BatchView, Limits, validate_produce,
};
use precursor_protocol::views::ProduceRequestView;
use precursor_protocol::writers::{
    FetchHead, FetchPartition, FetchResponseWriter, ProducePartition, ProduceResponseWriter,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs `work` in many short slices; prints the fastest, which the machine's other work disturbed
/// least, and the median.
fn measure(name: &str, per: usize, mut work: impl FnMut()) {
    let mut rounds = 1;
    loop {
        let start = Instant::now();
        (0..rounds).for_each(|_| work());
        if start.elapsed() > Duration::from_micros(100) {
            break;
        }
        rounds *= 2;
    }
    let mut slices: Vec<f64> = (0..3000)
        .map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| work());
            start.elapsed().as_nanos() as f64 / (rounds * per) as f64
        })
        .collect();
    slices.sort_by(f64::total_cmp);
    let (best, median) = (slices[0], slices[slices.len() / 2]);
    println!("{name:<52} {best:>9.2} {median:>9.2}");
}

fn batch(records: usize, value: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..records {
        let timestamp = 1_700_000_000_000 + index as i64 / 8;
        builder.append(timestamp, None, Some(&vec![b'v'; value]), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

fn main() {
    println!("{:<52} {:>9} {:>9}", "ns", "best", "median");
    records();
    messages();
}

fn records() {
    let limits = Limits {
        batch_bytes_max: 1 << 20,
        produce_version: 11,
    };
    for (count, value) in [(1, 100), (1000, 100), (1000, 10), (100, 10_000)] {
        let bytes = batch(count, value);
        let name = |what: &str| format!("{what}, {count} x {value} bytes, each batch");
        measure(&name("CRC alone"), 1, || {
            black_box(crc32c(black_box(&bytes)));
        });
        measure(&name("walk of the records"), 1, || {
            let batch = BatchView::parse(black_box(&bytes)).expect("a batch");
            black_box(batch.records().filter(Result::is_ok).count());
        });
        measure(&name("validate_produce"), 1, || {
            black_box(validate_produce(Some(black_box(&bytes)), &limits)).expect("valid");
        });
        let mut patched = bytes.clone();
        measure(&name("assign offset and epoch"), 1, || {
            let mut header = BatchHeaderMut::parse(black_box(&mut patched)).expect("a batch");
            header.set_base_offset(77);
            header.set_leader_epoch(3);
        });
        measure(&name("LogAppendTime"), 1, || {
            let mut header = BatchHeaderMut::parse(black_box(&mut patched)).expect("a batch");
            header.set_log_append_time(1_700_000_000_000);
        });
    }
    let value = vec![b'v'; 100];
    let mut builder = BatchBuilder::new();
    let mut out = Vec::new();
    measure("BatchBuilder, 1000 x 100 bytes, each batch", 1, || {
        builder.clear();
        out.clear();
        for _ in 0..1000 {
            builder.append(1_700_000_000_000, None, Some(black_box(&value)), &[]);
        }
        builder.build(&mut out);
    });
}

fn messages() {
    let request = ProduceRequest {
        acks: 1,
        timeout_ms: 30_000,
        topic_data: vec![produce_request::TopicProduceData {
            name: "telemetry".to_owned(),
            partition_data: vec![produce_request::PartitionProduceData {
                index: 3,
                records: Some(batch(1000, 100)),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    for version in [7, 11] {
        let mut body = Vec::new();
        request.encode(&mut body, version).expect("a version");
        measure(
            &format!("ProduceRequestView v{version}, parse and walk"),
            1,
            || {
                let view = ProduceRequestView::parse(black_box(&body), version).expect("a request");
                for topic in view.topic_data {
                    for partition in topic.partition_data {
                        black_box(partition.records);
                    }
                }
            },
        );
        let mut out = Vec::with_capacity(4096);
        measure(&format!("ProduceResponseWriter v{version}"), 1, || {
            out.clear();
            let mut writer = ProduceResponseWriter::new(&mut out, version, 1);
            writer.topic(black_box("telemetry"), TopicId::ZERO, 1);
            writer.partition(&ProducePartition {
                base_offset: black_box(1234),
                ..ProducePartition::refused(3, ErrorCode::None)
            });
            writer.finish(0).expect("counted");
        });
    }
    for version in [11, 12] {
        let mut out = Vec::with_capacity(4096);
        measure(
            &format!("FetchResponseWriter v{version}, one partition"),
            1,
            || {
                out.clear();
                let head = FetchHead {
                    throttle_time_ms: 0,
                    error: ErrorCode::None,
                    session_id: black_box(17),
                };
                let mut writer = FetchResponseWriter::new(&mut out, version, &head, 1);
                writer.topic(black_box("telemetry"), TopicId::ZERO, 1);
                writer.partition(&FetchPartition {
                    records_length: black_box(100_000),
                    ..FetchPartition::refused(3, ErrorCode::None)
                });
                writer.finish().expect("counted");
            },
        );
    }
}
