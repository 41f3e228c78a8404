//! `precursor storage dump`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use precursor_disk::SystemFileSystem;
use precursor_protocol::records::Codec;
use precursor_storage::offline::{Dumped, Inventory, dump_file};
use serde_json::{Value, json};

use super::{cannot, relative};
use crate::bytes;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor storage dump`.
#[derive(Debug, clap::Args)]
pub struct DumpArguments {
    /// The broker's data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Of this topic's partitions alone
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    topic: Option<String>,
    /// Of this partition alone
    #[arg(long, value_name = "N", requires = "topic")]
    partition: Option<i32>,
    /// Records too, not batches alone
    #[arg(long)]
    records: bool,
    /// Single files, absolute or within the data directory
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs `precursor storage dump`.
///
/// # Errors
/// A file cannot be read or is none of a partition's.
pub fn run(arguments: &DumpArguments, output: Output) -> Result<(), Failure> {
    let files = SystemFileSystem::new(false);
    let mut out = BufWriter::new(io::stdout().lock());
    for path in chosen(arguments, &files)? {
        let mut printer = Printer {
            out: &mut out,
            file: relative(&arguments.data_dir, &path).display().to_string(),
            json: output.json(),
            closed: None,
        };
        let mut begun = printer.begin();
        if begun.is_ok() {
            begun = dump_file(&files, &path, arguments.records, &mut |dumped| {
                printer.print(&dumped)
            });
        }
        match begun {
            Ok(()) => {}
            Err(error) => return Err(printer.failure(&path, error)),
        }
    }
    out.flush().map_err(Failure::from_output)
}

/// The files that are meant, in order.
fn chosen(arguments: &DumpArguments, files: &SystemFileSystem) -> Result<Vec<PathBuf>, Failure> {
    let data_dir = &arguments.data_dir;
    if !arguments.files.is_empty() {
        let within = arguments.files.iter().map(|file| data_dir.join(file));
        return Ok(within.collect());
    }
    let inventory = Inventory::read(files, data_dir);
    let inventory = inventory.map_err(|error| cannot("read", data_dir, &error))?;
    let mut chosen = Vec::new();
    for partition in inventory.partitions {
        let topic = arguments.topic.as_ref();
        let other_topic = topic.is_some_and(|topic| *topic != partition.topic);
        let other = arguments
            .partition
            .is_some_and(|n| n != partition.partition);
        if other_topic || other {
            continue;
        }
        let entries = std::fs::read_dir(&partition.path);
        let entries = entries.map_err(|error| cannot("read", &partition.path, &error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        chosen.append(&mut paths);
    }
    if chosen.is_empty() {
        let sentence = match &arguments.topic {
            Some(topic) => format!(
                "there is no such partition of {topic} in {}",
                data_dir.display()
            ),
            None => format!("there is no partition in {}", data_dir.display()),
        };
        return Err(Failure::new(sentence));
    }
    Ok(chosen)
}

/// Lines of one file.
struct Printer<'a, W> {
    out: &'a mut W,
    file: String,
    json: bool,
    /// Why nothing more can be written.
    closed: Option<io::Error>,
}

impl<W: Write> Printer<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        match self.json {
            true => Ok(()),
            false => {
                let title = format!("{}:", self.file);
                self.line(&title)
            }
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}").map_err(|error| {
            let kind = error.kind();
            self.closed = Some(error);
            kind.into()
        })
    }

    fn print(&mut self, dumped: &Dumped<'_>) -> io::Result<()> {
        if self.json {
            let mut value = to_json(dumped);
            value["file"] = json!(self.file);
            return self.line(&value.to_string());
        }
        let line = to_text(dumped);
        self.line(&format!("  {line}"))
    }

    fn failure(self, path: &Path, error: io::Error) -> Failure {
        match self.closed {
            Some(closed) => Failure::from_output(closed),
            None if error.kind() == io::ErrorKind::InvalidInput => Failure::new(error.to_string()),
            None => cannot("read", path, &error),
        }
    }
}

fn codec_name(attributes: i16) -> String {
    match Codec::from_attributes(attributes) {
        Codec::None => "none".to_owned(),
        Codec::Gzip => "gzip".to_owned(),
        Codec::Snappy => "snappy".to_owned(),
        Codec::Lz4 => "lz4".to_owned(),
        Codec::Zstd => "zstd".to_owned(),
        Codec::Unknown(bits) => format!("unknown ({bits})"),
    }
}

fn to_json(dumped: &Dumped<'_>) -> Value {
    match dumped {
        Dumped::Batch {
            position,
            end,
            header,
        } => json!({
            "is": "batch",
            "position": position,
            "bytes": end - position,
            "first_offset": header.base_offset,
            "last_offset": header.last_offset(),
            "records": header.count,
            "compression": codec_name(header.attributes),
            "leader_epoch": header.leader_epoch,
            "base_timestamp": header.base_timestamp,
            "max_timestamp": header.max_timestamp,
            "log_append_time": header.is_log_append_time(),
            "producer_id": header.producer_id,
            "producer_epoch": header.producer_epoch,
            "base_sequence": header.base_sequence,
            "transactional": header.is_transactional(),
            "control": header.is_control(),
            "crc": header.crc,
        }),
        Dumped::Record {
            offset,
            timestamp,
            record,
        } => {
            let mut value = json!({ "is": "record", "offset": offset, "timestamp": timestamp });
            bytes::put(&mut value, "key", record.key);
            bytes::put(&mut value, "value", record.value);
            let headers = record.headers.map(|header| {
                let mut entry = json!({ "key": header.key });
                bytes::put(&mut entry, "value", header.value);
                entry
            });
            value["headers"] = headers.collect();
            value
        }
        Dumped::Unreadable { why } => json!({ "is": "unreadable", "what": why }),
        Dumped::Hole {
            position,
            end,
            first,
            next,
            fault,
        } => json!({
            "is": "hole",
            "position": position,
            "bytes": end - position,
            "first_offset": first,
            "next_offset": next,
            "what": fault.to_string(),
        }),
        Dumped::Position { offset, position } => {
            json!({ "is": "index", "offset": offset, "position": position })
        }
        Dumped::Time { timestamp, offset } => {
            json!({ "is": "time", "timestamp": timestamp, "offset": offset })
        }
        Dumped::Producer(producer) => json!({
            "is": "producer",
            "producer_id": producer.producer_id,
            "producer_epoch": producer.epoch,
            "last_sequence": producer.last_sequence,
            "last_timestamp": producer.last_timestamp,
            "coordinator_epoch": producer.coordinator_epoch,
            "transaction_start_offset": producer.transaction_start_offset,
        }),
        Dumped::Aborted(aborted) => json!({
            "is": "aborted",
            "producer_id": aborted.producer_id,
            "first_offset": aborted.first_offset,
            "last_offset": aborted.last_offset,
            "last_stable_offset": aborted.last_stable_offset,
        }),
        Dumped::Epoch { epoch, start } => {
            json!({ "is": "epoch", "leader_epoch": epoch, "start_offset": start })
        }
        Dumped::Line(line) => json!({ "is": "line", "text": line }),
    }
}

fn to_text(dumped: &Dumped<'_>) -> String {
    match dumped {
        Dumped::Batch {
            position,
            end,
            header,
        } => {
            let mut text = format!(
                "batch at {position}, {} bytes: offsets {} to {}, {} records, {}, epoch {}, \
                 times {} to {}",
                end - position,
                header.base_offset,
                header.last_offset(),
                header.count,
                codec_name(header.attributes),
                header.leader_epoch,
                header.base_timestamp,
                header.max_timestamp,
            );
            if header.has_producer() {
                text.push_str(&format!(
                    ", producer {} epoch {} sequence {}",
                    header.producer_id, header.producer_epoch, header.base_sequence
                ));
            }
            if header.is_transactional() {
                text.push_str(", transactional");
            }
            if header.is_control() {
                text.push_str(", control");
            }
            text
        }
        Dumped::Record {
            offset,
            timestamp,
            record,
        } => format!(
            "  record {offset}, time {timestamp}: {} {}",
            shown(record.key),
            shown(record.value)
        ),
        Dumped::Unreadable { why } => format!("  its records cannot be read: {why}"),
        Dumped::Hole {
            position,
            end,
            first,
            next,
            fault,
        } => {
            let next = next.map_or("the end".to_owned(), |next| format!("offset {next}"));
            let bytes = end - position;
            format!("no batch at {position}, {bytes} bytes, from offset {first} to {next}: {fault}")
        }
        Dumped::Position { offset, position } => format!("offset {offset} at byte {position}"),
        Dumped::Time { timestamp, offset } => format!("time {timestamp} by offset {offset}"),
        Dumped::Aborted(aborted) => format!(
            "producer {} aborted from offset {} to {}; stable up to {}",
            aborted.producer_id,
            aborted.first_offset,
            aborted.last_offset,
            aborted.last_stable_offset
        ),
        Dumped::Producer(producer) => format!(
            "producer {} epoch {}: last sequence {}, last time {}{}",
            producer.producer_id,
            producer.epoch,
            producer.last_sequence,
            producer.last_timestamp,
            match producer.transaction_start_offset {
                ..0 => String::new(),
                first => format!(", transaction open from offset {first}"),
            }
        ),
        Dumped::Epoch { epoch, start } => format!("epoch {epoch} from offset {start}"),
        Dumped::Line(line) => (*line).to_owned(),
    }
}

/// Bytes in quotes, what is no printable text escaped.
fn shown(bytes: Option<&[u8]>) -> String {
    bytes.map_or("null".to_owned(), |bytes| {
        format!("\"{}\"", bytes.escape_ascii())
    })
}
