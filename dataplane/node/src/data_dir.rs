//! The data plane's claim to its data directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The lock's name within the data directory; the holder's pid is in it.
const LOCK: &str = ".lock";

/// A predecessor that was killed a moment ago may not be gone quite yet.
const PATIENCE: Duration = Duration::from_millis(2_000);

/// Held for the life of the process.
pub struct DataDirLock {
    _file: File,
}

/// Makes the directory where it is missing, and claims it.
///
/// # Errors
/// One sentence: it cannot be used, or another data plane uses it.
pub fn claim(dir: &Path) -> Result<DataDirLock, String> {
    take(dir).map_err(|refused| match refused {
        Refused::InUse(by) => format!("the data directory {} is in use by {by}", dir.display()),
        Refused::Unusable(error) => {
            let dir = dir.display();
            format!(
                "the data directory {dir} cannot be used: {error}; choose another with data.dir"
            )
        }
    })
}

/// Why a directory cannot be claimed.
pub enum Refused {
    /// By whom.
    InUse(String),
    Unusable(io::Error),
}

/// Makes a directory where it is missing, and claims it.
///
/// # Errors
/// It cannot be used, or another data plane uses it.
pub fn take(dir: &Path) -> Result<DataDirLock, Refused> {
    let unusable = Refused::Unusable;
    fs::create_dir_all(dir).map_err(unusable)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(dir.join(LOCK))
        .map_err(unusable)?;
    let give_up = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Refused::InUse(holder(&mut file)));
            }
        }
    }
    file.set_len(0).map_err(unusable)?;
    file.rewind().map_err(unusable)?;
    writeln!(file, "{}", std::process::id()).map_err(unusable)?;
    Ok(DataDirLock { _file: file })
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("pid {pid}"),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_names_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deeper");
        let first = claim(&path).unwrap();
        let Err(sentence) = claim(&path) else {
            panic!("claimed twice");
        };
        let pid = std::process::id();
        assert!(
            sentence.contains(&format!("in use by pid {pid}")),
            "{sentence}"
        );
        drop(first);
        claim(&path).unwrap();
    }
}
