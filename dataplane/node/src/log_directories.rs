//! The directories that hold partitions: claimed, opened, watched.

use crate::data_dir::{self, DataDirLock, Refused};
use precursor_config::NodeConfig;
use precursor_disk::{FileSystem, Progress, SystemFileSystem, within};
use precursor_storage::{DISK_WAIT, DirectoryWatch, LogDirectories, SpareRoom};
use std::path::PathBuf;
use std::sync::Arc;

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

/// Begins to watch their file systems.
///
/// # Errors
/// A thread cannot be started.
pub fn watch(directories: &Arc<LogDirectories>) -> Result<DirectoryWatch, String> {
    let files: Arc<dyn FileSystem> = Arc::new(SystemFileSystem::new(false));
    DirectoryWatch::start(directories, &files)
        .map_err(|error| format!("starting the threads that watch directories: {error}"))
}
