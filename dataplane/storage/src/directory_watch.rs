//! Looks at the directories' file systems while a node runs.

use crate::directories::LogDirectories;
use precursor_disk::FileSystem;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, Thread, park_timeout};
use std::time::Duration;

/// How often a file system is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// And when it is nearly full.
const LOOK_SOON: Duration = Duration::from_millis(50);
/// It asks one question, and may have to say in the log what it found.
const STACK_BYTES: usize = 128 << 10;

/// A thread for each directory: one whose file system hangs keeps nobody from seeing that another is
/// full, or gone. Dropping it asks the threads to end, and does not wait: one may hang.
pub struct DirectoryWatch {
    stop: Arc<AtomicBool>,
    threads: Vec<Thread>,
}

impl DirectoryWatch {
    /// Begins to watch the directories that have not failed.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(
        directories: &Arc<LogDirectories>,
        files: &Arc<dyn FileSystem>,
    ) -> io::Result<DirectoryWatch> {
        let mut watch = DirectoryWatch {
            stop: Arc::default(),
            threads: Vec::new(),
        };
        for number in directories.usable() {
            let (directories, files) = (directories.clone(), files.clone());
            let stop = watch.stop.clone();
            let thread = Builder::new()
                .name(format!("directory-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || look_on(&directories, number, &*files, &stop))?;
            watch.threads.push(thread.thread().clone());
        }
        Ok(watch)
    }
}

impl Drop for DirectoryWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in &self.threads {
            thread.unpark();
        }
    }
}

/// Until it has failed, or nobody wants to know any more.
fn look_on(directories: &LogDirectories, number: u16, files: &dyn FileSystem, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) && directories.error(number).is_none() {
        directories.look(number, files);
        park_timeout(match directories.is_nearly_full(number) {
            true => LOOK_SOON,
            false => LOOK,
        });
    }
}
