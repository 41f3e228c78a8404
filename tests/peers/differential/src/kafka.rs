//! Apache Kafka as the peer: one node, from its jars.

use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::node::wait_until;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long Kafka may take to answer its first request: a JVM, on a loaded machine.
const READY_MAX: Duration = Duration::from_secs(120);

/// Retention would take records away in the middle of a sequence: theirs are of long ago.
const UNDISTURBED: [&str; 2] = [
    "log.retention.check.interval.ms=86400000",
    "log.initial.task.delay.ms=86400000",
];

/// A running Kafka; dropping it ends it and removes its data.
pub struct Kafka {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Kafka {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// It cannot be started, or does not answer in time.
    pub fn start() -> io::Result<Kafka> {
        let folder = TempDir::with_prefix("precursor-peer-")?;
        let port = free_ports()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kafka/start");
        let log = std::fs::File::create(folder.path().join("kafka.log"))?;
        let child = Command::new(script)
            .arg(folder.path())
            .arg(port.to_string())
            .args(UNDISTURBED)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut kafka = Kafka {
            child,
            address,
            _folder: folder,
        };
        let answers = || {
            let connection = Connection::open(address);
            connection.is_ok_and(|mut connection| connection.api_versions().is_ok())
        };
        if wait_until(READY_MAX, || answers() || kafka.has_ended()) && !kafka.has_ended() {
            return Ok(kafka);
        }
        let log = std::fs::read_to_string(kafka._folder.path().join("kafka.log"))?;
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        Err(io::Error::other(format!(
            "Kafka does not answer:\n{}",
            tail.join("\n")
        )))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // The script has become the JVM by then (exec), so this ends Kafka itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free, and the next one too, which the script takes for Kafka's controller. Below
/// those that the kernel gives to whoever asks for any: Kafka takes seconds until it has them.
fn free_ports() -> io::Result<u16> {
    let first = 15_000 + (std::process::id() % 8_000) as u16 * 2;
    for port in (first..32_000).chain(15_000..first).step_by(2) {
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 1) {
            return Ok(port);
        }
    }
    Err(io::Error::other("no two free ports side by side"))
}
