//! What is looked at before anything is started, so that a refusal is one sentence and no damage.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use precursor_config::{Endpoint, NodeConfig};

use crate::failure::Failure;

/// The supervisor's lock within the data directory; the processes have their own beside it.
const SUPERVISOR_LOCK: &str = ".supervisor.lock";

/// The locks of the processes, within the data directory.
const PROCESS_LOCKS: [&str; 2] = [".lock", "controlplane/.lock"];

/// How long processes that were left behind by a killed supervisor are waited for: they stop by
/// themselves, and flush first.
const ORPHANS_STOP: Duration = Duration::from_secs(20);

/// The supervisor's claim to a data directory; held until it is dropped.
pub struct DataDirLock {
    _file: File,
}

/// Makes the data directory where it is missing, proves that it can be written, and claims it.
///
/// # Errors
/// It cannot be made or written, or a live process uses it.
pub fn claim_data_dir(config: &NodeConfig) -> Result<DataDirLock, Failure> {
    let dir = &config.data_dir;
    let unusable = |error: io::Error| {
        Failure::new(format!(
            "the data directory {} cannot be used: {error}",
            dir.display()
        ))
        .next("Name a directory that this user can write: --data-dir DIR")
    };
    fs::create_dir_all(dir).map_err(unusable)?;
    let path = dir.join(SUPERVISOR_LOCK);
    let mut file = open_lock(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(dir, holder(&mut file))),
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    write_pid(&mut file).map_err(unusable)?;
    wait_for_orphans(dir)?;
    Ok(DataDirLock { _file: file })
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn in_use(dir: &Path, pid: Option<u32>) -> Failure {
    let by = pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    );
    Failure::new(format!(
        "the data directory {} is in use by {by}",
        dir.display()
    ))
    .next("Stop that broker first, or name another directory: --data-dir DIR")
}

/// Processes hold their own locks. One without a supervisor is finishing: wait for it. One with a
/// supervisor of its own (a systemd unit, say) is in use.
fn wait_for_orphans(dir: &Path) -> Result<(), Failure> {
    let give_up = Instant::now() + ORPHANS_STOP;
    let mut told = false;
    for name in PROCESS_LOCKS {
        let path = dir.join(name);
        loop {
            // Opened without creating: the processes make their own locks.
            let Ok(mut file) = OpenOptions::new().read(true).open(&path) else {
                break;
            };
            match file.try_lock_shared() {
                Err(TryLockError::WouldBlock) => {}
                _ => break,
            }
            let pid = holder(&mut file);
            if !pid.is_some_and(is_orphan) || Instant::now() > give_up {
                return Err(in_use(dir, pid));
            }
            if !told {
                eprintln!(
                    "precursor: waiting for process {} of an earlier run to finish",
                    pid.unwrap_or_default()
                );
                told = true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

/// Whether a process was started by a supervisor that is no longer its parent.
fn is_orphan(pid: u32) -> bool {
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
        // Gone between the lock and this look: the next look at the lock will tell.
        return true;
    };
    if line.is_empty() {
        // Killed, its memory gone already, its threads and files not yet.
        return true;
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let supervisor = words
        .windows(2)
        .find(|pair| pair[0] == b"--supervised-by")
        .and_then(|pair| std::str::from_utf8(pair[1]).ok()?.parse::<u32>().ok());
    supervisor.is_some_and(|supervisor| parent_of(pid) != Some(supervisor))
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// Resolves the Kafka listener and sees that nobody has it.
///
/// # Errors
/// The name does not resolve, or the address cannot be bound.
pub fn check_listener(endpoint: &Endpoint) -> Result<SocketAddr, Failure> {
    let address = endpoint.resolve().map_err(|error| {
        Failure::new(format!("cannot listen on {endpoint}: {error}"))
            .next("Name an address of this machine: --listen HOST:PORT")
    })?;
    match TcpListener::bind(address) {
        Ok(_) => Ok(address),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Failure::new(format!(
            "cannot listen on {endpoint}: another program is using that port"
        ))
        .next("Stop it, or choose another port (0 for any free one): --listen HOST:PORT")),
        Err(error) => Err(
            Failure::new(format!("cannot listen on {endpoint}: {error}"))
                .next("Name an address of this machine: --listen HOST:PORT"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path) -> NodeConfig {
        let mut config = NodeConfig::default();
        config.data_dir = dir.to_owned();
        config
    }

    #[test]
    fn a_directory_is_claimed_once_and_free_after() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let first = claim_data_dir(&config(&dir)).unwrap();
        let refused = claim_data_dir(&config(&dir)).err().unwrap();
        let own = format!("in use by process {}", std::process::id());
        assert!(refused.sentence.contains(&own), "{refused}");
        drop(first);
        claim_data_dir(&config(&dir)).unwrap();
    }

    #[test]
    fn a_data_plane_of_another_supervisor_is_respected() {
        let parent = tempfile::tempdir().unwrap();
        let mut file = open_lock(&parent.path().join(".lock")).unwrap();
        file.try_lock().unwrap();
        write_pid(&mut file).unwrap();
        let refused = claim_data_dir(&config(parent.path())).err().unwrap();
        assert!(refused.sentence.contains("in use by process"), "{refused}");
    }

    #[test]
    fn a_file_in_the_way_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let dir = file.path().join("data");
        let refused = claim_data_dir(&config(&dir)).err().unwrap();
        assert!(refused.sentence.contains("cannot be used"), "{refused}");
    }

    #[test]
    fn a_busy_port_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let refused = check_listener(&endpoint).err().unwrap();
        assert!(refused.sentence.contains("another program"), "{refused}");
        drop(listener);
        check_listener(&endpoint).unwrap();
    }
}
