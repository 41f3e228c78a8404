//! `precursor produce`: lines become records.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use precursor_model::ErrorCode;
use precursor_protocol::messages::ProduceRequest;
use precursor_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use precursor_protocol::records::{BatchBuilder, Codec};
use serde_json::json;

use crate::arguments::{CommonArguments, key_value};
use crate::client::parse_endpoint;
use crate::client::topic::{Patience, Topic, error_of};
use crate::codec;
use crate::failure::Failure;
use crate::output::Output;

/// A batch is sent when it reaches this size, whatever --batch says: half of what a topic takes
/// by default (max.message.bytes).
const BATCH_BYTES_MAX: usize = 512 << 10;

/// How long the broker may take for a batch.
const TIMEOUT_MS: i32 = 30_000;

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
}

/// Reads `--acks`.
pub fn parse_acks(text: &str) -> Result<i16, String> {
    match text {
        "0" => Ok(0),
        "1" => Ok(1),
        "all" | "-1" => Ok(-1),
        _ => Err("known are 0, 1 and all".to_owned()),
    }
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
    let started = Instant::now();
    input.each_line(|line, more| {
        producer.add(line)?;
        if more { Ok(()) } else { producer.flush() }
    })?;
    producer.flush()?;
    producer.report(started, output)
}

struct Producer<'a> {
    topic: Topic,
    arguments: &'a ProduceArguments,
    partitions: Vec<i32>,
    batches: BTreeMap<i32, BatchBuilder>,
    /// The partition of records without a key, until its batch is sent.
    sticky: usize,
    records: u64,
    bytes: u64,
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
            records: 0,
            bytes: 0,
            offsets: BTreeMap::new(),
        })
    }

    fn add(&mut self, line: &[u8]) -> Result<(), Failure> {
        let (key, value) = split_key(line, self.arguments.key_separator.as_deref());
        let count = self.partitions.len();
        let index = match key {
            Some(key) if count > 1 => (murmur2(key) & 0x7fff_ffff) as usize % count,
            _ => self.sticky % count,
        };
        let partition = self.partitions[index];
        let headers: Vec<(&str, Option<&[u8]>)> = self
            .arguments
            .headers
            .iter()
            .map(|(key, value)| (key.as_str(), Some(value.as_bytes())))
            .collect();
        let batch = self.batches.entry(partition).or_default();
        batch.append(now_ms(), key, Some(value), &headers);
        self.records += 1;
        self.bytes += line.len() as u64;
        let full = batch.record_count() >= self.arguments.batch as usize
            || batch.length() >= BATCH_BYTES_MAX;
        if full {
            self.send(partition)?;
        }
        Ok(())
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
            return leader.send(&request, version);
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
        let last = first + count as i64 - 1;
        self.offsets
            .entry(partition)
            .and_modify(|(_, end)| *end = last)
            .or_insert((first, last));
        Ok(())
    }

    fn report(&self, started: Instant, output: Output) -> Result<(), Failure> {
        let seconds = started.elapsed().as_secs_f64();
        let (topic, records) = (&self.arguments.topic, self.records);
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
        let noun = if records == 1 { "record" } else { "records" };
        let offsets: Vec<String> = self
            .offsets
            .iter()
            .map(|(partition, (first, last))| format!("partition {partition}: {first} to {last}"))
            .collect();
        let offsets = match offsets.len() {
            0 => String::new(),
            _ => format!(" ({})", offsets.join(", ")),
        };
        output.line(&format!("{records} {noun} written to {topic}{offsets}"))
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

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// Key and value of a line; a line without the separator has no key.
fn split_key<'l>(line: &'l [u8], separator: Option<&str>) -> (Option<&'l [u8]>, &'l [u8]) {
    let Some(separator) = separator.map(str::as_bytes).filter(|s| !s.is_empty()) else {
        return (None, line);
    };
    let at = line
        .windows(separator.len())
        .position(|window| window == separator);
    match at {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

/// The hash by which Kafka's Java client chooses a key's partition (MurmurHash2, 32 bits), so that
/// keys land where every other client puts them.
fn murmur2(key: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MULTIPLIER: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// Where lines come from.
enum Input {
    Standard(BufReader<std::io::Stdin>),
    File(BufReader<File>),
}

impl Input {
    fn open(file: Option<&PathBuf>) -> Result<Input, Failure> {
        let Some(path) = file else {
            return Ok(Input::Standard(BufReader::with_capacity(
                1 << 20,
                std::io::stdin(),
            )));
        };
        let file = File::open(path)
            .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
        Ok(Input::File(BufReader::with_capacity(1 << 20, file)))
    }

    /// Calls `each` with every line, and with whether more is there already: a person or a slow
    /// pipe should not wait for a batch to fill.
    fn each_line(
        self,
        each: impl FnMut(&[u8], bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Input::File(reader) => lines(reader, |_| true, each),
            Input::Standard(reader) => {
                let stdin = std::io::stdin();
                let ready = |reader: &BufReader<std::io::Stdin>| {
                    !reader.buffer().is_empty() || readable_now(stdin.as_fd())
                };
                lines(reader, ready, each)
            }
        }
    }
}

fn lines<R: std::io::Read>(
    mut reader: BufReader<R>,
    more: impl Fn(&BufReader<R>) -> bool,
    mut each: impl FnMut(&[u8], bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::new(format!("the input ended: {error}")))?;
        if read == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        each(&line, more(&reader))?;
    }
}

fn readable_now(descriptor: BorrowedFd<'_>) -> bool {
    let mut descriptors = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_in_kafka() {
        // The vectors of Kafka's own UtilsTest.testMurmur2.
        let vectors: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key) as i32, hash);
        }
    }

    #[test]
    fn lines_split_at_the_first_separator() {
        let key = |text: &'static str| Some(text.as_bytes());
        assert_eq!(split_key(b"a:b:c", Some(":")), (key("a"), &b"b:c"[..]));
        assert_eq!(split_key(b"a=>b", Some("=>")), (key("a"), &b"b"[..]));
        assert_eq!(split_key(b"abc", Some(":")), (None, &b"abc"[..]));
        assert_eq!(split_key(b":x", Some(":")), (key(""), &b"x"[..]));
        assert_eq!(split_key(b"a:b", None), (None, &b"a:b"[..]));
        assert_eq!(split_key(b"a:b", Some("")), (None, &b"a:b"[..]));
    }

    #[test]
    fn lines_keep_their_bytes() {
        let mut seen = Vec::new();
        let reader = BufReader::new(&b"one\n\ntwo\r\nlast"[..]);
        lines(
            reader,
            |_| true,
            |line, _| {
                seen.push(line.to_vec());
                Ok(())
            },
        )
        .unwrap();
        let expected: [&[u8]; 4] = [b"one", b"", b"two\r", b"last"];
        assert_eq!(seen, expected);
    }
}
