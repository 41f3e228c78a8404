//! `precursor produce`: lines become records.

mod input;
mod keys;
mod line;
mod progress;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use precursor_model::ErrorCode;
use precursor_protocol::messages::ProduceRequest;
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::records::{BatchBuilder, Codec};
use serde_json::json;

use crate::client::topic::{Patience, Topic, error_of};
use crate::client::{parse_acks, parse_endpoint};
use crate::codec;
use crate::common::{CommonArguments, counted, key_value};
use crate::failure::Failure;
use crate::moment::now_ms;
use crate::output::Output;
use input::Input;
use line::{LineFormat, LineRules};
use progress::Progress;

/// A batch is sent when it reaches this size, whatever --batch says: half of what a topic takes
/// by default (max.message.bytes).
const BATCH_BYTES_MAX: usize = 512 << 10;

/// How long the broker may take for a batch.
const TIMEOUT_MS: i32 = 30_000;

/// Lines between two looks at the progress.
const PROGRESS_LINES: u64 = 256;

/// The arguments of `precursor produce`.
#[derive(Debug, clap::Args)]
pub struct ProduceArguments {
    topic: String,
    /// Read lines from a file instead of standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What stands between a line's key and its value; without it lines have no key
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// The partition of every record [default: by key as Kafka's clients do, else in turn]
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// When the broker answers: 0 never, 1 when the leader has it, all when all replicas have it
    #[arg(long, value_name = "0|1|all", default_value = "all", value_parser = parse_acks)]
    acks: i16,
    /// How batches are compressed: none, gzip, snappy, lz4 or zstd
    #[arg(long, value_name = "CODEC", default_value = "none", value_parser = codec::parse_codec)]
    compression: Codec,
    /// Records per batch, at most
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch: u32,
    /// A header of every record, as often as needed
    #[arg(long = "header", value_name = "KEY=VALUE", value_parser = key_value)]
    headers: Vec<(String, String)>,
    /// A key or value that is exactly this text is null: a tombstone, for instance
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
    /// What a line is
    #[arg(long, value_enum, default_value = "text")]
    format: LineFormat,
}

/// Writes every line as a record.
///
/// # Errors
/// No broker, no such topic, or a batch was refused. What was written before stays written.
pub fn run(
    arguments: &ProduceArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    let input = Input::open(arguments.file.as_ref())?;
    let topic = Topic::find(&bootstrap, &arguments.topic, true)?;
    let mut producer = Producer::new(topic, arguments)?;
    if input.is_typed() {
        eprintln!("precursor: a line is a record; end with Ctrl-D");
    }
    let progress = Progress::new(input.length(), input.is_typed());
    let started = Instant::now();
    let result = input.each_line(|line, more| {
        producer.add(line)?;
        if producer.lines.is_multiple_of(PROGRESS_LINES) {
            progress.show(producer.bytes, producer.acknowledged);
        }
        if more { Ok(()) } else { producer.flush() }
    });
    let result = result.and_then(|()| producer.flush());
    progress.finish();
    result.map_err(|failure| producer.with_position(failure))?;
    producer.report(started, output)
}

struct Producer<'a> {
    topic: Topic,
    arguments: &'a ProduceArguments,
    partitions: Vec<i32>,
    batches: BTreeMap<i32, BatchBuilder>,
    /// The partition of records without a key, until its batch is sent.
    sticky: usize,
    lines: u64,
    /// Bytes of lines, their ends included.
    bytes: u64,
    /// Records that the broker has taken (with --acks 0: that were sent).
    acknowledged: u64,
    /// Partition → first and last offset that was assigned here.
    offsets: BTreeMap<i32, (i64, i64)>,
}

impl<'a> Producer<'a> {
    fn new(mut topic: Topic, arguments: &'a ProduceArguments) -> Result<Self, Failure> {
        let partitions = match arguments.partition {
            Some(partition) => {
                topic.leader(partition)?;
                vec![partition]
            }
            None => topic.partitions(),
        };
        Ok(Producer {
            topic,
            arguments,
            partitions,
            batches: BTreeMap::new(),
            sticky: 0,
            lines: 0,
            bytes: 0,
            acknowledged: 0,
            offsets: BTreeMap::new(),
        })
    }

    fn rules(&self) -> LineRules<'a> {
        LineRules {
            format: self.arguments.format,
            key_separator: self.arguments.key_separator.as_deref(),
            null: self.arguments.null.as_deref(),
        }
    }

    fn add(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.lines += 1;
        self.bytes += line.len() as u64 + 1;
        let record = self.rules().read(line).map_err(|why| {
            Failure::new(format!("line {} is no record: {why}", self.lines)).next(
                "With --format json a line is an object as 'precursor consume --output json' \
                 prints it",
            )
        })?;
        let count = self.partitions.len();
        let index = match &record.key {
            Some(key) if count > 1 => (keys::murmur2(key) & 0x7fff_ffff) as usize % count,
            _ => self.sticky % count,
        };
        let partition = self.partitions[index];
        let own = record.headers.iter();
        let own = own.map(|(key, value)| (key.as_str(), value.as_deref()));
        let common = self.arguments.headers.iter();
        let common = common.map(|(key, value)| (key.as_str(), Some(value.as_bytes())));
        let headers: Vec<(&str, Option<&[u8]>)> = own.chain(common).collect();
        let batch = self.batches.entry(partition).or_default();
        batch.append(
            record.timestamp.unwrap_or_else(now_ms),
            record.key.as_deref(),
            record.value.as_deref(),
            &headers,
        );
        let full = batch.record_count() >= self.arguments.batch as usize
            || batch.length() >= BATCH_BYTES_MAX;
        if full {
            self.send(partition)?;
        }
        Ok(())
    }

    /// A failure in the midst says how far writing came.
    fn with_position(&self, failure: Failure) -> Failure {
        Failure {
            sentence: format!(
                "{} ({} written before)",
                failure.sentence,
                counted(self.acknowledged, "record")
            ),
            ..failure
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let partitions: Vec<i32> = self.batches.keys().copied().collect();
        partitions
            .into_iter()
            .try_for_each(|partition| self.send(partition))
    }

    fn send(&mut self, partition: i32) -> Result<(), Failure> {
        let Some(builder) = self.batches.get_mut(&partition) else {
            return Ok(());
        };
        let count = builder.record_count();
        if count == 0 {
            return Ok(());
        }
        let records = build(builder, self.arguments.compression)?;
        builder.clear();
        self.sticky += 1;
        let acks = self.arguments.acks;
        let request = ProduceRequest {
            acks,
            timeout_ms: TIMEOUT_MS,
            topic_data: vec![TopicProduceData {
                name: self.arguments.topic.clone(),
                partition_data: vec![PartitionProduceData {
                    index: partition,
                    records: Some(records),
                    ..PartitionProduceData::default()
                }],
                ..TopicProduceData::default()
            }],
            ..ProduceRequest::default()
        };
        let leader = self.topic.leader(partition)?;
        if acks == 0 {
            // Kafka sends no answer at all.
            let version = leader.version_of::<ProduceRequest>()?;
            leader.send(&request, version)?;
            self.acknowledged += count as u64;
            return Ok(());
        }
        let mut patience = Patience::default();
        let first = loop {
            let response = leader.call(&request)?;
            let answer = response
                .responses
                .first()
                .and_then(|topic| topic.partition_responses.first())
                .ok_or_else(|| Failure::refused("the broker left its answer empty"))?;
            match error_of(answer.error_code) {
                ErrorCode::None => break answer.base_offset,
                error => patience.wait(&self.arguments.topic, error)?,
            }
        };
        self.acknowledged += count as u64;
        let last = first + count as i64 - 1;
        self.offsets
            .entry(partition)
            .and_modify(|(_, end)| *end = last)
            .or_insert((first, last));
        Ok(())
    }

    fn report(&self, started: Instant, output: Output) -> Result<(), Failure> {
        let seconds = started.elapsed().as_secs_f64();
        let (topic, records) = (&self.arguments.topic, self.acknowledged);
        if output.json() {
            let offsets = self.offsets.iter().map(|(partition, (first, last))| {
                json!({ "partition": partition, "first": first, "last": last })
            });
            return output.value(&json!({
                "topic": topic,
                "records": records,
                "bytes": self.bytes,
                "seconds": seconds,
                "offsets": offsets.collect::<Vec<_>>(),
            }));
        }
        let offsets: Vec<String> = self
            .offsets
            .iter()
            .map(|(partition, (first, last))| format!("partition {partition}: {first} to {last}"))
            .collect();
        let offsets = match offsets.len() {
            0 => String::new(),
            _ => format!(" ({})", offsets.join(", ")),
        };
        let rate = match seconds {
            // Below that the start weighs more than the records, or somebody typed them.
            0.1.. if records >= 1000 => {
                format!(" in {seconds:.1} s, {:.0}/s", records as f64 / seconds)
            }
            _ => String::new(),
        };
        let written = counted(records, "record");
        output.line(&format!("{written} written to {topic}{rate}{offsets}"))
    }
}

/// A batch's bytes, compressed as asked.
fn build(builder: &BatchBuilder, codec: Codec) -> Result<Vec<u8>, Failure> {
    let mut batch = Vec::with_capacity(builder.length());
    let mut failed = None;
    builder.build_with(&mut batch, codec, |records, out| {
        match codec::compress(codec, records) {
            Ok(compressed) => out.extend_from_slice(&compressed),
            Err(error) => failed = Some(error),
        }
    });
    match failed {
        None => Ok(batch),
        Some(error) => Err(Failure::new(format!(
            "a batch cannot be compressed: {error}"
        ))),
    }
}
