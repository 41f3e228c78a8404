//! `precursor storage`: a data directory without its broker.

mod adopt;
mod dump;
mod progress;
mod repair;
mod verify;

use std::path::{Path, PathBuf};

use precursor_storage::offline::InUse;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor storage`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct StorageArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read everything in a data directory and report damage; nothing is ever written
    ///
    /// Every batch's checksum and offsets, every index entry against its batch, producers' state,
    /// leader epochs and checkpoints. Damage makes the exit code 1. The broker must be stopped.
    Verify(DataDirectory),
    /// Mend what verify finds, after saying what would be done; nothing is ever deleted
    ///
    /// Bad batches and torn tails go to the data directory's `quarantine`, and what is left is
    /// served; indexes are made again. The broker must be stopped, and must have stopped cleanly or
    /// have left no region behind.
    Repair(repair::RepairArguments),
    /// Take over the log directories of an Apache Kafka (KRaft) into a new data directory
    ///
    /// Topics with their ids, options, leader epochs and segments, and committed offsets of groups.
    /// Kafka must be stopped; its directories are never changed.
    Adopt(adopt::AdoptArguments),
    /// Print what segments, indexes, snapshots and checkpoints say; also beside a running broker
    Dump(dump::DumpArguments),
}

#[derive(Clone, Debug, clap::Args)]
pub struct DataDirectory {
    /// The broker's data directory
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// Runs `precursor storage`.
///
/// # Errors
/// There is damage, or the directory cannot be read.
pub fn run(arguments: &StorageArguments, output: Output) -> Result<(), Failure> {
    match &arguments.action {
        Action::Verify(place) => verify::run(&place.data_dir, output),
        Action::Repair(repair) => repair::run(repair, output),
        Action::Adopt(adopt) => adopt::run(adopt, output),
        Action::Dump(dump) => dump::run(dump, output),
    }
}

/// Refuses a directory that is not there or that a broker has.
fn unused(data_dir: &Path) -> Result<(), Failure> {
    if !data_dir.is_dir() {
        let sentence = format!("{} is no directory", data_dir.display());
        return Err(Failure::new(sentence).next("Name the data directory of a broker"));
    }
    match InUse::look(data_dir) {
        Ok(None) => Ok(()),
        Ok(Some(by)) => Err(in_use(data_dir, &by)),
        Err(error) => Err(cannot("look at", data_dir, &error)),
    }
}

fn in_use(data_dir: &Path, by: &InUse) -> Failure {
    let by = by.process.map_or_else(
        || "another process".to_owned(),
        |process| format!("process {process}"),
    );
    Failure::new(format!(
        "the data directory {} is in use by {by}",
        data_dir.display()
    ))
    .next("Stop that broker first")
}

fn cannot(act: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {act} {}: {error}", path.display()))
}

/// A file as it is told: within the data directory.
fn relative<'a>(data_dir: &Path, file: &'a Path) -> &'a Path {
    match file.strip_prefix(data_dir) {
        Ok(inner) if !inner.as_os_str().is_empty() => inner,
        _ => file,
    }
}

/// A finding as JSON.
fn finding_json(data_dir: &Path, finding: &precursor_storage::offline::Finding) -> Value {
    let mut object = Map::new();
    object.insert("kind".into(), json!(finding.kind));
    let file = relative(data_dir, &finding.file);
    object.insert("file".into(), json!(file.to_string_lossy()));
    if let Some((from, to)) = finding.bytes {
        object.insert("position".into(), json!(from));
        object.insert("bytes".into(), json!(to - from));
    }
    if let Some((first, last)) = finding.offsets {
        object.insert("first_offset".into(), json!(first));
        object.insert("last_offset".into(), json!(last));
    }
    object.insert("what".into(), json!(finding.what));
    Value::Object(object)
}

/// A finding as a line.
fn finding_line(data_dir: &Path, finding: &precursor_storage::offline::Finding) -> String {
    let mut line = relative(data_dir, &finding.file).display().to_string();
    match finding.bytes {
        Some((from, to)) if to > from => {
            line.push_str(&format!(", bytes {from} to {}", to - 1));
        }
        Some((from, _)) => line.push_str(&format!(", at byte {from}")),
        None => {}
    }
    match finding.offsets {
        Some((first, last)) if last > first => {
            line.push_str(&format!(", offsets {first} to {last}"));
        }
        Some((first, _)) => line.push_str(&format!(", offset {first}")),
        None => {}
    }
    format!("{line}: {}", finding.what)
}

/// A number of things: `1 batch`, `2 batches`.
fn count(number: u64, thing: &str) -> String {
    let plural = match (number, thing.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{number} {thing}{plural}")
}
