//! `precursor consume`: records become lines.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use precursor_model::ErrorCode;
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::{FetchRequest, FetchResponse};
use precursor_protocol::records::{BatchView, Codec, Record, Records, split_batches};
use serde_json::{Value, json};

use crate::arguments::CommonArguments;
use crate::client::parse_endpoint;
use crate::client::topic::{EARLIEST, LATEST, Patience, Topic, error_of, topic_failure};
use crate::codec;
use crate::failure::Failure;
use crate::output::Output;

/// How long a fetch may be parked at the broker.
const WAIT_MS_MAX: i32 = 500;

/// Bytes per partition and fetch; a larger batch comes whole nevertheless.
const PARTITION_BYTES_MAX: i32 = 4 << 20;
const FETCH_BYTES_MAX: i32 = 64 << 20;

/// The arguments of `precursor consume`.
#[derive(Debug, clap::Args)]
pub struct ConsumeArguments {
    topic: String,
    /// Only this partition
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Where to begin: beginning, end, an offset, or @ and a time in milliseconds since 1970
    #[arg(long, value_name = "WHERE", default_value = "beginning", value_parser = parse_from)]
    from: From,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Wait for new records at the end instead of stopping there
    #[arg(long)]
    follow: bool,
    /// Print keys, and this text between key and value
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Beginning,
    End,
    Offset(i64),
    Timestamp(i64),
}

fn parse_from(text: &str) -> Result<From, String> {
    let number = |digits: &str| digits.parse::<i64>().ok().filter(|n| *n >= 0);
    let parsed = match (text, text.strip_prefix('@')) {
        ("beginning", _) => Some(From::Beginning),
        ("end", _) => Some(From::End),
        (_, Some(time)) => number(time).map(From::Timestamp),
        (offset, None) => number(offset).map(From::Offset),
    };
    parsed.ok_or_else(|| "it takes beginning, end, an offset, or @TIMESTAMP".to_owned())
}

/// Prints records until the end that the topic had at the start, or for ever with --follow.
///
/// # Errors
/// No broker, no such topic, or a batch that cannot be read.
pub fn run(
    arguments: &ConsumeArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    let topic = Topic::find(&bootstrap, &arguments.topic, false)?;
    let mut consumer = Consumer {
        topic,
        arguments,
        json: output.json(),
        out: BufWriter::with_capacity(1 << 16, std::io::stdout().lock()),
        positions: BTreeMap::new(),
        printed: 0,
        patience: Patience::default(),
    };
    consumer.find_positions()?;
    let result = consumer.read_all();
    // Also after an error: what was read before it should be seen.
    let flushed = consumer.out.flush().map_err(Failure::from_output);
    result.and(flushed)
}

/// Where reading stands in a partition, and where it ends.
struct Position {
    next: i64,
    /// `None`: never.
    end: Option<i64>,
}

impl Position {
    fn done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}

struct Consumer<'a, W: Write> {
    topic: Topic,
    arguments: &'a ConsumeArguments,
    json: bool,
    out: W,
    positions: BTreeMap<i32, Position>,
    printed: u64,
    /// With partitions that cannot be read just now.
    patience: Patience,
}

impl<W: Write> Consumer<'_, W> {
    fn find_positions(&mut self) -> Result<(), Failure> {
        let partitions = match self.arguments.partition {
            Some(partition) => vec![partition],
            None => self.topic.partitions(),
        };
        for partition in partitions {
            let end = self.topic.offset_at(partition, LATEST)?.unwrap_or(0);
            let next = match self.arguments.from {
                From::Beginning => self.topic.offset_at(partition, EARLIEST)?.unwrap_or(0),
                From::End => end,
                From::Offset(offset) => offset,
                From::Timestamp(time) => self.topic.offset_at(partition, time)?.unwrap_or(end),
            };
            let end = (!self.arguments.follow).then_some(end);
            self.positions.insert(partition, Position { next, end });
        }
        Ok(())
    }

    fn finished(&self) -> bool {
        let enough = self
            .arguments
            .count
            .is_some_and(|count| self.printed >= count);
        enough || self.positions.values().all(Position::done)
    }

    fn read_all(&mut self) -> Result<(), Failure> {
        while !self.finished() {
            for leader in self.topic.leaders() {
                let wanted: Vec<(i32, i64)> = self
                    .positions
                    .iter()
                    .filter(|(partition, position)| {
                        self.topic.leader_of(**partition) == Some(leader) && !position.done()
                    })
                    .map(|(partition, position)| (*partition, position.next))
                    .collect();
                if !wanted.is_empty() {
                    let request = fetch_request(&self.arguments.topic, &wanted);
                    let response = self.topic.connection(leader)?.call(&request)?;
                    self.take(&response)?;
                }
            }
            // A follower's reader should see records as they come.
            self.out.flush().map_err(Failure::from_output)?;
        }
        Ok(())
    }

    fn take(&mut self, response: &FetchResponse) -> Result<(), Failure> {
        let name = &self.arguments.topic;
        let whole = error_of(response.error_code);
        if whole != ErrorCode::None {
            return Err(topic_failure(name, whole));
        }
        let mut unavailable = None;
        for answer in response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
        {
            match error_of(answer.error_code) {
                ErrorCode::None => {
                    let records = answer.records.as_deref().unwrap_or_default();
                    self.print_records(answer.partition_index, records)?;
                }
                error => unavailable = Some(error),
            }
        }
        match unavailable {
            Some(error) => self.patience.wait(name, error),
            None => {
                self.patience.reset();
                Ok(())
            }
        }
    }

    fn print_records(&mut self, partition: i32, records: &[u8]) -> Result<(), Failure> {
        for batch in split_batches(records) {
            let Ok(batch) = batch else {
                // Kafka may cut the last batch; the next fetch brings it whole.
                return Ok(());
            };
            if !batch.crc_is_right() {
                return Err(unreadable(partition, &batch, "its checksum is wrong"));
            }
            if !batch.is_control() {
                self.print_batch(partition, &batch)?;
            }
            if let Some(position) = self.positions.get_mut(&partition) {
                position.next = position.next.max(batch.last_offset() + 1);
            }
            if self.finished() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn print_batch(&mut self, partition: i32, batch: &BatchView<'_>) -> Result<(), Failure> {
        let plain;
        let bytes = match batch.codec() {
            Codec::None => batch.record_bytes(),
            codec => {
                plain = codec::decompress(codec, batch.record_bytes())
                    .map_err(|error| unreadable(partition, batch, &error.to_string()))?;
                &plain
            }
        };
        let (from, end) = match self.positions.get(&partition) {
            Some(position) => (position.next, position.end.unwrap_or(i64::MAX)),
            None => return Ok(()),
        };
        for record in Records::new(bytes, batch.record_count()) {
            let record =
                record.map_err(|error| unreadable(partition, batch, &error.to_string()))?;
            let offset = batch.base_offset() + i64::from(record.offset_delta);
            let enough = self
                .arguments
                .count
                .is_some_and(|count| self.printed >= count);
            if enough || offset >= end {
                return Ok(());
            }
            // A fetch from within a batch returns the whole batch.
            if offset >= from {
                let timestamp = match batch.timestamp_type() {
                    precursor_model::TimestampType::LogAppendTime => batch.max_timestamp(),
                    precursor_model::TimestampType::CreateTime => {
                        batch.base_timestamp() + record.timestamp_delta
                    }
                };
                self.print(partition, offset, timestamp, &record)?;
                self.printed += 1;
            }
        }
        Ok(())
    }

    fn print(
        &mut self,
        partition: i32,
        offset: i64,
        timestamp: i64,
        record: &Record<'_>,
    ) -> Result<(), Failure> {
        let written = if self.json {
            let value = record_json(&self.arguments.topic, partition, offset, timestamp, record);
            writeln!(self.out, "{value}")
        } else {
            let key = match &self.arguments.key_separator {
                Some(separator) => [record.key.unwrap_or_default(), separator.as_bytes()].concat(),
                None => Vec::new(),
            };
            self.out
                .write_all(&key)
                .and_then(|()| self.out.write_all(record.value.unwrap_or_default()))
                .and_then(|()| self.out.write_all(b"\n"))
        };
        written.map_err(Failure::from_output)
    }
}

fn unreadable(partition: i32, batch: &BatchView<'_>, why: &str) -> Failure {
    let offset = batch.base_offset();
    Failure::new(format!(
        "the batch at offset {offset} of partition {partition} cannot be read: {why}"
    ))
    .next(format!(
        "Go on behind it: --partition {partition} --from {}",
        batch.last_offset() + 1
    ))
}

fn fetch_request(topic: &str, wanted: &[(i32, i64)]) -> FetchRequest {
    let partitions = wanted.iter().map(|(partition, offset)| FetchPartition {
        partition: *partition,
        current_leader_epoch: -1,
        fetch_offset: *offset,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: PARTITION_BYTES_MAX,
        ..FetchPartition::default()
    });
    FetchRequest {
        replica_id: -1,
        max_wait_ms: WAIT_MS_MAX,
        min_bytes: 1,
        max_bytes: FETCH_BYTES_MAX,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: partitions.collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

/// A record as JSON. Bytes that are not UTF-8 stand in hexadecimal under another name, so that a
/// reader never takes one for the other.
fn record_json(
    topic: &str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    record: &Record<'_>,
) -> Value {
    let mut value = json!({
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
    });
    put_bytes(&mut value, "key", record.key);
    put_bytes(&mut value, "value", record.value);
    let headers = record.headers.map(|header| {
        let mut entry = json!({ "key": header.key });
        put_bytes(&mut entry, "value", header.value);
        entry
    });
    value["headers"] = headers.collect();
    value
}

fn put_bytes(object: &mut Value, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => object[name] = Value::Null,
        Some((_, Ok(text))) => object[name] = text.into(),
        Some((bytes, Err(_))) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            object[format!("{name}_hex")] = digits.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin() {
        assert_eq!(parse_from("beginning"), Ok(From::Beginning));
        assert_eq!(parse_from("end"), Ok(From::End));
        assert_eq!(parse_from("17"), Ok(From::Offset(17)));
        assert_eq!(
            parse_from("@1700000000000"),
            Ok(From::Timestamp(1_700_000_000_000))
        );
        for bad in ["", "-1", "@", "@x", "start"] {
            assert!(parse_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        let mut object = json!({});
        put_bytes(&mut object, "key", None);
        put_bytes(&mut object, "value", Some(&[0xff, 0]));
        put_bytes(&mut object, "text", Some("ü".as_bytes()));
        assert_eq!(
            object,
            json!({ "key": null, "value_hex": "ff00", "text": "ü" })
        );
    }
}
