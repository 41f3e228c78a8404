//! The control plane's claim to its part of the data directory.

use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The lock's name within the directory; the holder's pid is in it.
const LOCK: &str = ".lock";
/// A predecessor that was killed a moment ago may not be gone quite yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Held for the life of the process.
#[derive(Debug)]
pub struct ControlDirectory {
    pub path: PathBuf,
    _lock: Flock<File>,
}

/// Makes `<data.dir>/controlplane` where it is missing, and claims it.
///
/// # Errors
/// One sentence: it cannot be used, or another control plane uses it.
pub fn claim(data_dir: &Path) -> Result<ControlDirectory, String> {
    let path = data_dir.join("controlplane");
    let unusable = |error: io::Error| {
        let data_dir = data_dir.display();
        format!("the data directory {data_dir} cannot be used: {error}; choose another: data.dir")
    };
    fs::create_dir_all(&path).map_err(unusable)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.join(LOCK))
        .map_err(unusable)?;
    let give_up = Instant::now() + PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                lock.set_len(0).map_err(unusable)?;
                lock.rewind().map_err(unusable)?;
                writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
                return Ok(ControlDirectory { path, _lock: lock });
            }
            Err((returned, nix::Error::EWOULDBLOCK)) if Instant::now() < give_up => {
                file = returned;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err((mut returned, nix::Error::EWOULDBLOCK)) => {
                let mut pid = String::new();
                let read = returned.rewind();
                let read = read.and_then(|()| returned.read_to_string(&mut pid));
                let holder = match (read, pid.trim().parse::<u32>()) {
                    (Ok(_), Ok(pid)) => format!("pid {pid}"),
                    _ => "another process".to_owned(),
                };
                let data_dir = data_dir.display();
                return Err(format!(
                    "the data directory {data_dir} is in use by {holder}"
                ));
            }
            Err((_, error)) => return Err(unusable(error.into())),
        }
    }
}
