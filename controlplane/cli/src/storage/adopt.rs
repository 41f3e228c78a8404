//! `precursor storage adopt`.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use precursor_disk::{FileSystem, SystemFileSystem};
use precursor_metadata::{ADOPTION_FILE, AdoptedTopic, Adoption};
use precursor_model::OFFSETS_TOPIC;
use precursor_storage::offline::{
    AdoptOptions, Finding, Survey, UseLock, Watch, adopt, adopted, survey,
};
use serde_json::json;

use super::progress::Progress;
use super::{DataDirectory, cannot, count, finding_line, in_use};
use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor storage adopt`.
#[derive(Debug, clap::Args)]
pub struct AdoptArguments {
    /// Kafka's log directories (its `log.dirs`, and `metadata.log.dir` where that is another)
    #[arg(value_name = "KAFKA_LOG_DIR", required = true)]
    sources: Vec<PathBuf>,
    #[command(flatten)]
    place: DataDirectory,
    /// Copy segments, or make hard links of all but each partition's last
    #[arg(long, value_enum, default_value = "copy")]
    mode: Mode,
    /// Also when Kafka did not stop cleanly or batches are damaged: take over all that is good
    #[arg(long)]
    recover: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Copy,
    Link,
}

/// Shows damage as it is found.
struct Reading {
    progress: Progress,
    quiet: bool,
}

impl Watch for Reading {
    fn found(&mut self, finding: Finding) {
        if !self.quiet {
            let line = finding_line(Path::new("/"), &finding);
            self.progress.beside(|| eprintln!("damage: /{line}"));
        }
    }

    fn read(&mut self, bytes: u64) {
        self.progress.advance(bytes);
    }
}

/// Runs `precursor storage adopt`.
///
/// # Errors
/// Kafka still runs, its directories are not what they must be, or the data directory is not new.
pub fn run(arguments: &AdoptArguments, output: Output) -> Result<(), Failure> {
    for source in &arguments.sources {
        refuse_running(source)?;
    }
    let data_dir = &arguments.place.data_dir;
    let options = AdoptOptions {
        sources: arguments.sources.clone(),
        data_dir: data_dir.clone(),
        link: arguments.mode == Mode::Link,
        recover: arguments.recover,
    };
    let files = SystemFileSystem::new(false);
    let bytes = arguments
        .sources
        .iter()
        .map(|source| log_bytes(source))
        .sum();
    let mut reading = Reading {
        progress: Progress::new(bytes),
        quiet: false,
    };
    let found = survey(&files, &options, &mut reading);
    reading.progress.finish();
    let found = found.map_err(|sentence| refused(sentence, arguments.recover))?;
    std::fs::create_dir_all(data_dir).map_err(|error| cannot("make", data_dir, &error))?;
    let _lock = UseLock::take(data_dir)
        .map_err(|error| cannot("lock", data_dir, &error))?
        .map_err(|by| in_use(data_dir, &by))?;
    let mut reading = Reading {
        progress: Progress::new(3 * found.bytes),
        quiet: true,
    };
    let taken = adopt(&files, &options, &found, &mut reading);
    reading.progress.finish();
    taken.map_err(Failure::new)?;
    write_manifest(&files, data_dir, &found)?;
    adopted(&files, data_dir).map_err(Failure::new)?;
    tell(data_dir, &found, output)
}

fn refused(sentence: String, recover: bool) -> Failure {
    let failure = Failure::new(sentence);
    let can_be_recovered =
        failure.sentence.contains("damaged") || failure.sentence.contains("cleanly");
    match can_be_recovered && !recover {
        true => failure.next("--recover takes over all that is good"),
        false => failure,
    }
}

fn write_manifest(
    files: &SystemFileSystem,
    data_dir: &Path,
    found: &Survey,
) -> Result<(), Failure> {
    let adoption = Adoption {
        cluster_id: found.cluster_id.clone(),
        next_producer_id: found.next_producer_id,
        topics: { &found.topics }
            .iter()
            .map(|topic| AdoptedTopic {
                id: topic.id,
                name: topic.name.clone(),
                internal: topic.name == OFFSETS_TOPIC,
                // A new leader: its epoch is above every batch's.
                leader_epochs: topic.leader_epochs.iter().map(|epoch| epoch + 1).collect(),
                configs: topic.configs.clone(),
            })
            .collect(),
    };
    let text = serde_json::to_vec_pretty(&adoption)
        .map_err(|error| Failure::new(format!("the topics cannot be written down: {error}")))?;
    let path = data_dir.join(ADOPTION_FILE);
    let files: &dyn FileSystem = files;
    files
        .replace(&path, &text)
        .map_err(|error| cannot("write", &path, &error))
}

fn tell(data_dir: &Path, found: &Survey, output: Output) -> Result<(), Failure> {
    let partitions: usize = { &found.topics }
        .iter()
        .map(|topic| topic.leader_epochs.len())
        .sum();
    if output.json() {
        let topics: Vec<_> = { &found.topics }
            .iter()
            .map(|topic| {
                json!({
                    "topic": topic.name,
                    "id": topic.id.to_string(),
                    "partitions": topic.leader_epochs.len(),
                    "configs": topic.configs,
                    "configs_dropped": topic.configs_dropped,
                })
            })
            .collect();
        let skipped: Vec<_> = { &found.skipped }
            .iter()
            .map(|(path, why)| json!({ "directory": path.to_string_lossy(), "why": why }))
            .collect();
        return output.value(&json!({
            "cluster_id": found.cluster_id,
            "topics": topics,
            "skipped": skipped,
            "segments": found.segments,
            "bytes": found.bytes,
        }));
    }
    for (path, why) in &found.skipped {
        output.line(&format!("left behind: {}: {why}", path.display()))?;
    }
    for topic in { &found.topics }
        .iter()
        .filter(|topic| !topic.configs_dropped.is_empty())
    {
        let names = topic.configs_dropped.join(", ");
        output.line(&format!("topic {}: without {names}", topic.name))?;
    }
    output.line(&format!(
        "took over {} with {} and {}; the broker that starts on {} serves them",
        count(found.topics.len() as u64, "topic"),
        count(partitions as u64, "partition"),
        count(found.segments, "segment"),
        data_dir.display()
    ))
}

/// Kafka locks `.lock` as long as it runs, the way that POSIX has it.
fn refuse_running(source: &Path) -> Result<(), Failure> {
    let Ok(file) = File::open(source.join(".lock")) else {
        return Ok(());
    };
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let asked = fcntl(file.as_fd(), FcntlArg::F_GETLK(&mut lock));
    asked.map_err(|error| cannot("look at the lock of", source, &error.into()))?;
    match i32::from(lock.l_type) == libc::F_UNLCK {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "Kafka still runs on {}: process {}",
            source.display(),
            lock.l_pid
        ))
        .next("Stop it first, and let it come to its end")),
    }
}

/// Bytes of the segments below a directory, for the bar.
fn log_bytes(source: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(source) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| std::fs::read_dir(entry.path()).ok())
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".log"))
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
