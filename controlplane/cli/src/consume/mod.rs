//! `precursor consume`: records become lines.

mod print;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use precursor_config::Endpoint;
use precursor_model::{ErrorCode, TimestampType};
use precursor_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use precursor_protocol::messages::{FetchRequest, FetchResponse};
use precursor_protocol::records::{BatchView, Codec, Records, split_batches};

use crate::client::coordinator::Coordinator;
use crate::client::member::Member;
use crate::client::parse_endpoint;
use crate::client::topic::{EARLIEST, LATEST, Patience, Topic, error_of, topic_failure};
use crate::codec;
use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::moment::parse_moment;
use crate::output::Output;
use print::{Layout, Placed};

/// How long a fetch may be parked at the broker.
const WAIT_MS_MAX: i32 = 500;

/// Bytes per partition and fetch; a larger batch comes whole nevertheless.
const PARTITION_BYTES_MAX: i32 = 4 << 20;
const FETCH_BYTES_MAX: i32 = 64 << 20;

/// Between two commits of a member of a group.
const COMMIT: Duration = Duration::from_secs(1);

/// The arguments of `precursor consume`.
#[derive(Debug, clap::Args)]
pub struct ConsumeArguments {
    topic: String,
    /// Only this partition
    #[arg(long, value_name = "N", conflicts_with = "group")]
    partition: Option<i32>,
    /// Where to begin: beginning, end, an offset, or @ and a time (milliseconds since 1970, a date
    /// and time of UTC, or -15m for a time ago). With --group: where the group has no offset
    #[arg(long, value_name = "WHERE", default_value = "beginning", value_parser = parse_from)]
    from: From,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Wait for new records at the end instead of stopping there
    #[arg(long, short)]
    follow: bool,
    /// Read as a member of this group, and commit what was printed
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Print keys before values
    #[arg(long)]
    keys: bool,
    /// Print headers (KEY=VALUE, with commas between) before keys
    #[arg(long)]
    headers: bool,
    /// Print PARTITION:OFFSET before headers
    #[arg(long)]
    offsets: bool,
    /// Print timestamps (milliseconds since 1970) first
    #[arg(long)]
    timestamps: bool,
    /// What stands between these columns
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "\t",
        hide_default_value = true
    )]
    separator: String,
    /// Print keys, and this text between key and value
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// What is printed for a key or value that is null
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    null: String,
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
    match (text, text.strip_prefix('@')) {
        ("beginning", _) => Ok(From::Beginning),
        ("end", _) => Ok(From::End),
        (_, Some(time)) => parse_moment(time).map(From::Timestamp),
        (offset, None) => {
            let offset = offset.parse::<i64>().ok().filter(|offset| *offset >= 0);
            let offset = offset.map(From::Offset);
            offset.ok_or_else(|| "it takes beginning, end, an offset, or @TIMESTAMP".to_owned())
        }
    }
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
        layout: Layout::new(arguments, output.json()),
        out: BufWriter::with_capacity(1 << 16, std::io::stdout().lock()),
        positions: BTreeMap::new(),
        printed: 0,
        patience: Patience::default(),
        interrupt: Interrupt::listen()?,
        member: None,
        committed: Instant::now(),
    };
    let result = match &arguments.group {
        None => consumer.read_alone(),
        Some(group) => consumer.read_as_member(&bootstrap, group),
    };
    // Also after an error: what was read before it should be seen.
    let flushed = consumer.out.flush().map_err(Failure::from_output);
    result.and(flushed)?;
    match consumer.interrupt.came() {
        true => Err(Failure::interrupted()),
        false => Ok(()),
    }
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
    layout: Layout,
    out: W,
    positions: BTreeMap<i32, Position>,
    printed: u64,
    /// With partitions that cannot be read just now.
    patience: Patience,
    interrupt: Interrupt,
    member: Option<Member>,
    /// When the member last did.
    committed: Instant,
}

impl<W: Write> Consumer<'_, W> {
    fn read_alone(&mut self) -> Result<(), Failure> {
        let partitions = match self.arguments.partition {
            Some(partition) => vec![partition],
            None => self.topic.partitions(),
        };
        for partition in partitions {
            self.place(partition, None)?;
        }
        while !self.finished() {
            self.read_once()?;
        }
        Ok(())
    }

    /// Reads what the group gives us, for as long as we are wanted in it.
    fn read_as_member(&mut self, bootstrap: &Endpoint, group: &str) -> Result<(), Failure> {
        let coordinator = Coordinator::find(bootstrap, group)?;
        self.member = Some(Member::new(coordinator, &self.arguments.topic));
        self.join()?;
        let result = self.read_while_member();
        if let Some(member) = &mut self.member {
            // Where reading failed, what was printed before is committed all the same.
            let kept = member.commit(&next_offsets(&self.positions));
            let left = member.leave();
            return result.and(kept.map(|_| ())).and(left);
        }
        result
    }

    fn read_while_member(&mut self) -> Result<(), Failure> {
        while !self.finished() {
            self.read_once()?;
            if self.positions.values().all(Position::done) {
                // Nothing to fetch, so nothing that would wait: others may have all partitions.
                std::thread::sleep(Duration::from_millis(100));
            }
            let Some(member) = &mut self.member else {
                return Ok(());
            };
            let mut stays = member.beat()?;
            if !stays || self.committed.elapsed() >= COMMIT {
                // Before a rebalance too: whoever gets a partition next begins where we stand.
                stays &= member.commit(&next_offsets(&self.positions))?;
                self.committed = Instant::now();
            }
            if !stays {
                self.join()?;
            }
        }
        Ok(())
    }

    fn join(&mut self) -> Result<(), Failure> {
        let all = self.topic.partitions();
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let own = member.join(&all)?;
        let committed = member.coordinator.committed()?;
        self.positions.clear();
        for partition in own {
            let key = (self.arguments.topic.clone(), partition);
            self.place(partition, committed.get(&key).copied())?;
        }
        Ok(())
    }

    /// Finds where a partition's reading begins and ends.
    fn place(&mut self, partition: i32, committed: Option<i64>) -> Result<(), Failure> {
        let end = self.topic.offset_at(partition, LATEST)?.unwrap_or(0);
        let next = match (committed, self.arguments.from) {
            (Some(offset), _) => offset,
            (None, From::Beginning) => self.topic.offset_at(partition, EARLIEST)?.unwrap_or(0),
            (None, From::End) => end,
            (None, From::Offset(offset)) => offset,
            (None, From::Timestamp(time)) => self.topic.offset_at(partition, time)?.unwrap_or(end),
        };
        let end = (!self.arguments.follow).then_some(end);
        self.positions.insert(partition, Position { next, end });
        Ok(())
    }

    fn printed_enough(&self) -> bool {
        let count = self.arguments.count;
        count.is_some_and(|count| self.printed >= count)
    }

    fn finished(&self) -> bool {
        // Who follows as a member may have no partition now and get one later.
        let at_end = !self.arguments.follow && self.positions.values().all(Position::done);
        self.printed_enough() || at_end || self.interrupt.came()
    }

    fn read_once(&mut self) -> Result<(), Failure> {
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
        self.out.flush().map_err(Failure::from_output)
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
            if self.printed_enough() {
                // Perhaps within the batch; the position is right.
                return Ok(());
            }
            if let Some(position) = self.positions.get_mut(&partition) {
                let behind = position
                    .end
                    .unwrap_or(i64::MAX)
                    .min(batch.last_offset() + 1);
                position.next = position.next.max(behind);
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
            if self.printed_enough() || offset >= end {
                return Ok(());
            }
            // A fetch from within a batch returns the whole batch.
            if offset >= from {
                let timestamp = match batch.timestamp_type() {
                    TimestampType::LogAppendTime => batch.max_timestamp(),
                    TimestampType::CreateTime => batch.base_timestamp() + record.timestamp_delta,
                };
                let placed = Placed {
                    topic: &self.arguments.topic,
                    partition,
                    offset,
                    timestamp,
                    record,
                };
                self.layout
                    .write(&mut self.out, &placed)
                    .map_err(Failure::from_output)?;
                self.printed += 1;
                // A member commits what it printed, though it stops within a batch.
                if let Some(position) = self.positions.get_mut(&partition) {
                    position.next = offset + 1;
                }
            }
        }
        Ok(())
    }
}

fn next_offsets(positions: &BTreeMap<i32, Position>) -> BTreeMap<i32, i64> {
    let next = positions
        .iter()
        .map(|(partition, position)| (*partition, position.next));
    next.collect()
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
}
