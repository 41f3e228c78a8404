//! The directories that hold partitions: claimed, opened, watched.

use crate::data_dir::{self, DataDirLock, Refused};
use precursor_config::NodeConfig;
use precursor_disk::{FileSystem, Progress, SystemFileSystem, within};
use precursor_storage::{DISK_WAIT, LogDirectories, SpareRoom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often their file systems are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// And when one of them is nearly full.
const LOOK_SOON: Duration = Duration::from_millis(50);
/// In the data directory: which directories were used before.
const REGISTRY: &str = "log-directories";

/// The directories, and our claims to them.
pub struct NodeDirectories {
    pub directories: Arc<LogDirectories>,
    _locks: Vec<DataDirLock>,
}

/// Claims and opens the directories that hold partitions. One that cannot be used leaves its
/// partitions offline.
///
/// # Errors
/// One sentence: none can be used, another data plane uses one, or they do not fit together.
pub fn open(config: &NodeConfig) -> Result<NodeDirectories, String> {
    let files: Arc<dyn FileSystem> = Arc::new(SystemFileSystem::new(false));
    let data_dir = absolute(&config.data_dir);
    let paths: Vec<PathBuf> = config.log_directories().iter().map(absolute).collect();
    let mut locks = Vec::new();
    let others: Vec<PathBuf> = paths
        .iter()
        .filter(|path| **path != data_dir)
        .cloned()
        .collect();
    let claims = others
        .iter()
        .cloned()
        .map(|path| move |_: &Progress| data_dir::take(&path));
    for (path, claim) in others.iter().zip(within(DISK_WAIT, claims)) {
        match claim {
            Some(Ok(lock)) => locks.push(lock),
            Some(Err(Refused::InUse(by))) => {
                let path = path.display();
                return Err(format!("the log directory {path} is in use by {by}"));
            }
            // Opening it meets the same error or the same silence, and says so.
            Some(Err(Refused::Unusable(_))) | None => {}
        }
    }
    if !paths.contains(&data_dir) {
        let left = LogDirectories::partitions_in(&*files, &data_dir);
        if let Some(partition) = left.ok().and_then(|names| names.into_iter().next()) {
            return Err(format!(
                "{} holds partitions ({partition}), and log.dirs does not name it: add it to \
                 log.dirs, or move its partitions to a directory there",
                data_dir.display()
            ));
        }
    }
    let registry = data_dir.join(REGISTRY);
    let registry = (!config.log_dirs.is_empty()).then_some(&*registry);
    let spare = SpareRoom {
        bytes: config.log_dirs_free_bytes_min,
        percent: config.log_dirs_free_percent_min,
    };
    let directories = LogDirectories::open(&files, &paths, registry, (spare, DISK_WAIT));
    let directories = directories.map_err(|error| error.to_string())?;
    Ok(NodeDirectories {
        directories: Arc::new(directories),
        _locks: locks,
    })
}

fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

/// A thread that looks at the directories' file systems: asking one that hangs must not keep
/// anybody else. Dropping it asks the thread to end, and does not wait.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Begins to watch.
///
/// # Errors
/// The thread cannot be started.
pub fn watch(directories: Arc<LogDirectories>) -> Result<Watch, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = std::thread::Builder::new().name("directories".to_owned());
    let thread = thread.spawn(move || {
        let files = SystemFileSystem::new(false);
        while !stopped.load(Ordering::Relaxed) {
            directories.look(&files);
            std::thread::park_timeout(match directories.is_nearly_full() {
                true => LOOK_SOON,
                false => LOOK,
            });
        }
    });
    let thread =
        thread.map_err(|e| format!("starting the thread that watches directories: {e}"))?;
    Ok(Watch { stop, thread })
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}
