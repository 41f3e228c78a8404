//! One node: `precursor serve` and its two processes in a directory of their own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::client::Connection;
use crate::proc;

/// How long a node may take to say that it is ready.
pub const READY_SECONDS_MAX: u64 = 20;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Where the built programs are: `BROKER_BIN_DIR`, or beside the running test.
pub fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("BROKER_BIN_DIR") {
        return PathBuf::from(folder);
    }
    let mut folder = std::env::current_exe().expect("the path of this program");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder
}

/// The `precursor` program.
pub fn precursor() -> Command {
    let program = binaries().join("precursor");
    assert!(
        program.exists(),
        "{} is not there: build it with 'cargo build --release --bins' (or set BROKER_BIN_DIR)",
        program.display()
    );
    Command::new(program)
}

/// A file system that a node alone sees, for as long as it runs.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Words of `mount` before the place, as `-o loop IMAGE`.
    pub what: Vec<String>,
    pub place: PathBuf,
}

/// A node's directory and settings, with or without processes running on it. Dropping it kills
/// them and removes data and region.
pub struct Node {
    folder: TempDir,
    region: PathBuf,
    settings: Vec<String>,
    config_file: Option<PathBuf>,
    namespace: Option<String>,
    mounts: Vec<Mount>,
    host: String,
    port: u16,
    patience: Duration,
    serve: Option<Child>,
    address: Option<SocketAddr>,
}

impl Node {
    /// Starts a fresh node with these `--set` values.
    pub fn start(settings: &[&str]) -> Node {
        let mut node = Node::prepare(settings);
        node.serve();
        node
    }

    /// A node's directory with nothing running on it yet.
    pub fn prepare(settings: &[&str]) -> Node {
        let folder = TempDir::with_prefix("precursor-cluster-").expect("a temporary directory");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let region = format!("/dev/shm/precursor-test-{}-{number}", std::process::id());
        Node {
            folder,
            region: PathBuf::from(region),
            settings: settings.iter().map(|s| (*s).to_owned()).collect(),
            config_file: None,
            namespace: None,
            mounts: Vec::new(),
            host: "127.0.0.1".to_owned(),
            port: 0,
            patience: Duration::from_secs(READY_SECONDS_MAX),
            serve: None,
            address: None,
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// The directory that the region's files are in.
    pub fn region_dir(&self) -> &Path {
        &self.region
    }

    pub fn address(&self) -> SocketAddr {
        self.address.expect("the node is serving")
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address()).expect("the broker takes a connection")
    }

    /// Starts with this `--config` from now on.
    pub fn set_config_file(&mut self, file: &Path) {
        self.config_file = Some(file.to_path_buf());
    }

    /// Runs in a network namespace and listens on this address of it from now on. Who connects
    /// must be where the address is reached.
    pub fn run_in(&mut self, namespace: &str, host: &str, port: u16) {
        self.namespace = Some(namespace.to_owned());
        self.host = host.to_owned();
        self.port = port;
    }

    /// Listens on this address from now on.
    pub fn listen_at(&mut self, host: &str, port: u16) {
        self.host = host.to_owned();
        self.port = port;
    }

    /// May take so long to start, to come back and to stop, in place of 20 s.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The directory of everything that the node has.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a `--set` value, from the next start on.
    pub fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Runs with these file systems mounted, in a mount namespace of its own, from the next start
    /// on; they are gone with the processes. Needs root, and util-linux.
    pub fn set_mounts(&mut self, mounts: Vec<Mount>) {
        self.mounts = mounts;
    }

    /// Runs a program where the node's mounts are seen.
    pub fn beside(&self, words: &[&str]) -> bool {
        let pid = self.dataplane_pid().expect("the data plane runs");
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &pid.to_string()]).args(words);
        command.status().is_ok_and(|status| status.success())
    }

    /// The command that starts this node.
    pub fn command(&self) -> Command {
        self.command_at(&format!("{}:{}", self.host, self.port), &self.data_dir())
    }

    /// The command that starts this node elsewhere.
    pub fn command_at(&self, listen: &str, data_dir: &Path) -> Command {
        let region = format!("memory.region.dir={}", self.region.display());
        let mut command = match &self.namespace {
            None if !self.mounts.is_empty() => self.with_mounts(),
            None => precursor(),
            Some(namespace) => {
                // `ip` becomes the program, so that the child is the supervisor itself.
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]);
                command.arg(precursor().get_program());
                command
            }
        };
        command.args(["serve", "--listen", listen, "--data-dir"]);
        command.arg(data_dir).args(["--set", &region]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        if let Some(file) = &self.config_file {
            command.arg("--config").arg(file);
        }
        command.stdin(Stdio::null());
        command
    }

    /// The program, once everything is mounted: the shell becomes it.
    fn with_mounts(&self) -> Command {
        let mut script = String::new();
        for Mount { what, place } in &self.mounts {
            std::fs::create_dir_all(place).expect("a place to mount at");
            script.push_str(&format!("mount {} {} && ", what.join(" "), place.display()));
        }
        script.push_str("exec \"$0\" \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
        command.arg(precursor().get_program());
        command
    }

    /// Starts `precursor serve` and waits for its ready line. The port stays the same from the
    /// first start on, as it does for a broker in service.
    pub fn serve(&mut self) {
        assert!(self.serve.is_none(), "the node serves already");
        std::fs::create_dir_all(&self.region).expect("a directory for the region");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file());
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("precursor starts");
        let address = ready_line(&mut child, self.patience);
        self.serve = Some(child);
        let Some(address) = address else {
            panic!(
                "the node did not become ready; its log ends:\n{}",
                self.log()
            );
        };
        self.port = address.port();
        self.address = Some(address);
    }

    /// The last lines of what the processes logged.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn supervisor_pid(&self) -> Option<i32> {
        self.serve.as_ref().map(|child| child.id() as i32)
    }

    pub fn dataplane_pid(&self) -> Option<i32> {
        self.find("precursor-dataplane")
    }

    pub fn controlplane_pid(&self) -> Option<i32> {
        self.find("precursor-controlplane")
    }

    fn find(&self, program: &str) -> Option<i32> {
        let mention = self.folder.path().display().to_string();
        proc::find(program, &mention).first().copied()
    }

    /// kill -9 of the data plane; waits until it is gone, not until it is back.
    pub fn kill_dataplane(&mut self) {
        self.kill_one("precursor-dataplane");
    }

    pub fn kill_controlplane(&mut self) {
        self.kill_one("precursor-controlplane");
    }

    /// After an earlier kill the supervisor may still be waiting before it starts the next.
    fn kill_one(&self, program: &str) {
        let runs = wait_until(self.patience, || self.find(program).is_some());
        assert!(runs, "{program} runs");
        if let Some(pid) = self.find(program) {
            kill_and_wait(pid);
        }
    }

    /// kill -9 of the supervisor alone.
    pub fn kill_supervisor(&mut self) {
        let mut child = self.serve.take().expect("the node serves");
        self.address = None;
        let _ = child.kill();
        let _ = child.wait();
    }

    /// kill -9 of all three at once, the supervisor first so that it restarts nothing.
    pub fn kill_everything(&mut self) {
        let pids = [
            self.supervisor_pid(),
            self.dataplane_pid(),
            self.controlplane_pid(),
        ];
        for pid in pids.into_iter().flatten() {
            signal(pid, Signal::SIGKILL);
        }
        if let Some(mut child) = self.serve.take() {
            let _ = child.wait();
        }
        for pid in pids.into_iter().flatten() {
            wait_until(Duration::from_secs(5), || !proc::alive(pid));
        }
        self.address = None;
    }

    /// Removes the region, as power loss does. Nothing may be running.
    pub fn lose_region(&self) {
        assert!(self.serve.is_none(), "the node serves still");
        let _ = std::fs::remove_dir_all(&self.region);
    }

    /// SIGTERM to the supervisor and its exit status.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.serve.take().expect("the node serves");
        self.address = None;
        signal(child.id() as i32, Signal::SIGTERM);
        let deadline = Instant::now() + self.patience;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return status;
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "the node did not stop in {:?}; its log ends:\n{}",
                    self.patience,
                    self.log()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the node's log ends:\n{}", self.log());
        }
        let mention = self.folder.path().display().to_string();
        if let Some(mut child) = self.serve.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for program in ["precursor-dataplane", "precursor-controlplane"] {
            for pid in proc::find(program, &mention) {
                kill_and_wait(pid);
            }
        }
        let _ = std::fs::remove_dir_all(&self.region);
    }
}

/// Reads standard output until the ready line; None when it ends or takes too long.
fn ready_line(child: &mut Child, longest: Duration) -> Option<SocketAddr> {
    let out = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    // Reads on after the ready line, so that the pipe never fills.
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(at) = line.strip_prefix("precursor: ready, listening on ") {
                let _ = sender.send(at.parse());
            }
        }
    });
    receiver.recv_timeout(longest).ok()?.ok()
}

pub fn signal(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

fn kill_and_wait(pid: i32) {
    signal(pid, Signal::SIGKILL);
    wait_until(Duration::from_secs(5), || !proc::alive(pid));
}

/// Waits for a condition; true when it came.
pub fn wait_until(longest: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + longest;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Status and body of a page of this broker.
pub fn page(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// The value of a sample, by its name with its labels, on a page of metrics.
pub fn sample(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics
        .lines()
        .find(|line| line.rsplit_once(' ').is_some_and(|l| l.0 == name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}
