//! What lies in a data directory, by name.

use super::partition_check::{is_leftover, is_own};
use crate::coldseg::ColdFiles;
use crate::layout::{
    CHECKPOINT_LOCK, CLEANER_OFFSETS, LOG_STARTS, RECOVERY_POINTS, SET_ASIDE, clean_marker,
};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::validate_topic_name;
use std::io;
use std::path::{Path, PathBuf};

/// Names in a data directory that are a broker's own, besides partitions and what begins as below.
const OWN_NAMES: [&str; 15] = [
    RECOVERY_POINTS,
    LOG_STARTS,
    CLEANER_OFFSETS,
    CHECKPOINT_LOCK,
    SET_ASIDE,
    crate::quarantine::QUARANTINE,
    crate::registry::MARKER,
    "log-directories",
    "controlplane",
    ".lock",
    ".region.lock",
    ".supervisor.lock",
    "adopted.json",
    "adopted.done.json",
    "lost+found",
];
const OWN_PREFIXES: [&str; 3] = [".ring-", ".clean-shutdown-", ".direct-io-"];

/// A partition's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDirectory {
    pub topic: String,
    pub partition: i32,
    pub path: PathBuf,
}

/// Topic and partition in a directory's name, `<topic>-<partition>`.
pub fn partition_of(name: &str) -> Option<(&str, i32)> {
    let (topic, number) = name.rsplit_once('-')?;
    let decimal = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let partition = decimal.then(|| number.parse().ok()).flatten()?;
    validate_topic_name(topic).ok()?;
    Some((topic, partition))
}

/// The parts of a data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// By topic and partition.
    pub partitions: Vec<PartitionDirectory>,
    /// What is none of a broker's.
    pub foreign: Vec<PathBuf>,
    /// Left over from something that did not come to its end.
    pub leftovers: Vec<PathBuf>,
    /// Whether the last broker that had the directory stopped cleanly.
    pub stopped_cleanly: bool,
}

impl Inventory {
    /// Looks at the names.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read(files: &dyn FileSystem, data_dir: &Path) -> io::Result<Inventory> {
        let mut inventory = Inventory::default();
        let mut names = files.list(data_dir)?;
        names.sort();
        for name in &names {
            let path = data_dir.join(name);
            let own = OWN_NAMES.contains(&name.as_str())
                || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            if own {
                continue;
            }
            if name.ends_with(".tmp") || name.ends_with(".delete") {
                inventory.leftovers.push(path);
                continue;
            }
            match partition_of(name) {
                Some((topic, partition)) if is_partition(files, &path) => {
                    inventory.partitions.push(PartitionDirectory {
                        topic: topic.to_owned(),
                        partition,
                        path,
                    });
                }
                _ => inventory.foreign.push(path),
            }
        }
        inventory
            .partitions
            .sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        inventory.stopped_cleanly = stopped_cleanly(files, data_dir, &names);
        Ok(inventory)
    }

    /// Bytes of all segments.
    ///
    /// # Errors
    /// A directory or file cannot be read.
    pub fn log_bytes(&self, files: &dyn FileSystem) -> io::Result<u64> {
        let files: &dyn FileSystem = &ColdFiles::on(files);
        let mut bytes = 0;
        for partition in &self.partitions {
            for name in files.list(&partition.path)? {
                if name.ends_with(".log") {
                    let path = partition.path.join(name);
                    bytes += files.open(&path, OpenMode::Read)?.length()?;
                }
            }
        }
        Ok(bytes)
    }
}

/// Whether a directory that is called like a partition is one: it lost all of its files, or has some.
/// Others, like `dbus-1`, hold what somebody else has written.
fn is_partition(files: &dyn FileSystem, path: &Path) -> bool {
    let names = files.list(path);
    names.is_ok_and(|names| {
        names.is_empty() || names.iter().any(|name| is_own(name) || is_leftover(name))
    })
}

/// Each shard that ever had the directory left its mark when it stopped, and takes it away when it
/// starts.
fn stopped_cleanly(files: &dyn FileSystem, data_dir: &Path, names: &[String]) -> bool {
    let shards = names.iter().filter_map(|name| {
        let shard = name.strip_prefix(".ring-")?.strip_suffix(".lock")?;
        shard.parse::<u16>().ok()
    });
    let mut marks = shards.map(|shard| {
        let marker = clean_marker(data_dir, shard);
        files.open(&marker, OpenMode::Read).is_ok()
    });
    // No broker ever had it: then nothing was broken off either.
    marks.all(|mark| mark)
}
