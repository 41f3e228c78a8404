//! Whether a broker has a data directory, and keeping brokers out while it is changed.

use crate::layout::ring_lock;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Locks that the processes of a broker hold while they run: the data plane's, the control plane's,
/// the supervisor's.
const PROCESS_LOCKS: [&str; 3] = [".lock", "controlplane/.lock", ".supervisor.lock"];

/// The kernel lets go of a ring's lock a while after its process has ended.
const RING_ENDS: Duration = Duration::from_secs(5);

/// A broker has the directory open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    pub lock: PathBuf,
    /// As the lock's file says.
    pub process: Option<u32>,
}

impl InUse {
    /// Looks without a trace: no file is made. `None`: nobody has it.
    ///
    /// # Errors
    /// A lock's file cannot be opened.
    pub fn look(data_dir: &Path) -> io::Result<Option<InUse>> {
        for lock in locks_of(data_dir)? {
            let file = match File::open(&lock) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            // Shared: two who look do not take each other for a broker.
            match patiently(&lock, || file.try_lock_shared()) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Some(InUse::by(lock, file))),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn by(lock: PathBuf, mut file: File) -> InUse {
        let mut text = String::new();
        let read = file.by_ref().take(32).read_to_string(&mut text);
        let process = read.ok().and_then(|_| text.trim().parse().ok());
        InUse { lock, process }
    }
}

/// Keeps every broker from starting on a directory until it is dropped.
#[derive(Debug)]
pub struct UseLock {
    _files: Vec<File>,
}

impl UseLock {
    /// Takes every lock that a broker takes.
    ///
    /// # Errors
    /// A lock's file cannot be made or locked; `Ok(Err(_))`: somebody has the directory.
    pub fn take(data_dir: &Path) -> io::Result<Result<UseLock, InUse>> {
        let mut locks = locks_of(data_dir)?;
        locks.push(ring_lock(data_dir, 0));
        locks.sort();
        locks.dedup();
        let mut files = Vec::new();
        for lock in locks {
            // The control plane makes its own directory.
            if !lock.parent().is_some_and(Path::is_dir) {
                continue;
            }
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).read(true).write(true);
            let file = options.open(&lock)?;
            match patiently(&lock, || file.try_lock()) {
                Ok(()) => files.push(file),
                Err(TryLockError::WouldBlock) => return Ok(Err(InUse::by(lock, file))),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Ok(UseLock { _files: files }))
    }
}

/// Tries until it is known that a lock is held by somebody who lives.
fn patiently(
    path: &Path,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), TryLockError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let begun = Instant::now();
    loop {
        let outcome = attempt();
        let may_end = name.starts_with(".ring-") && begun.elapsed() < RING_ENDS;
        if !(may_end && matches!(outcome, Err(TryLockError::WouldBlock))) {
            return outcome;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn locks_of(data_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut locks: Vec<PathBuf> = PROCESS_LOCKS.iter().map(|n| data_dir.join(n)).collect();
    for entry in std::fs::read_dir(data_dir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".ring-") && name.ends_with(".lock") {
            locks.push(data_dir.join(&*name));
        }
    }
    Ok(locks)
}

/// The region that a broker left behind when it did not stop cleanly: it may hold records that are
/// not in the files yet, and the next start takes them over.
pub fn region_left(data_dir: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(data_dir.join(".region.lock")).ok()?;
    let path = PathBuf::from(text);
    (path.is_absolute() && path.exists()).then_some(path)
}
