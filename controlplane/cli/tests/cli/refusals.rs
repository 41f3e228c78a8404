//! What is said when something is wrong: exit codes, sentences, nothing damaged.
//!
//! The supervisor's children are shell scripts here; what they do when all is well is tested with
//! real ones in tests/cluster.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A directory with the binary, children of a test's choice, and room for data.
struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    fn new(data_plane: &str, control_plane: &str) -> Sandbox {
        // On the target directory's filesystem, so that the binary can be linked.
        let sandbox = Sandbox {
            directory: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        };
        fs::hard_link(env!("CARGO_BIN_EXE_precursor"), sandbox.path("precursor")).unwrap();
        write_script(&sandbox.path("precursor-dataplane"), data_plane);
        write_script(&sandbox.path("precursor-controlplane"), control_plane);
        sandbox
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn serve(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path("precursor"));
        command
            .current_dir(self.directory.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
            .args(["--set", "memory.region.bytes=16MiB"])
            .args(["--set", "memory.region.dir=."])
            .args(arguments);
        clean_environment(&mut command);
        command
    }

    /// The files that are there besides the programs.
    fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter(|name| !name.starts_with("precursor-d") && !name.starts_with("precursor-c"))
            .filter(|name| name != "precursor")
            .collect();
        names.sort();
        names
    }
}

/// Written by another process: a descriptor of ours that is open for writing could be inherited by a
/// child that another test starts just then, and the script could not be run ("text file busy").
fn write_script(path: &Path, script: &str) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    write!(input, "#!/bin/sh\n{script}\n").unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success());
}

fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.starts_with("PRECURSOR_") {
            command.env_remove(name);
        }
    }
}

fn precursor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_precursor"));
    clean_environment(&mut command);
    command.args(arguments).output().unwrap()
}

/// An output that must be a failure of this code; its standard error.
fn failed(output: &Output, code: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    error
}

/// An address where nobody listens, and where no test that runs beside can come to listen.
const NOBODY: &str = "127.0.0.1:1";

#[test]
fn a_wrong_command_line_is_code_2_and_names_what_is_known() {
    for (arguments, named) in [
        (&["produce", "t", "--compression", "brotli"][..], "zstd"),
        (&["produce", "t", "--acks", "2"], "all"),
        (&["consume", "t", "--from", "yesterday"], "@TIMESTAMP"),
        (&["topic", "create", "t", "--config", "x"], "KEY=VALUE"),
        (&["topic", "list", "--bootstrap", "nowhere"], "HOST:PORT"),
        (&["serve", "--set", "x"], "KEY=VALUE"),
        (&["bench", "produce", "--connections", "0"], "1 to 1024"),
        (&["prodcue"], "produce"),
    ] {
        let error = failed(&precursor(arguments), 2);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
}

#[test]
fn no_broker_is_code_3_and_says_how_to_start_one() {
    for command in [
        &["topic", "list"][..],
        &["consume", "t"],
        &["produce", "t", "--file", "/dev/null"],
        &["bench", "latency"],
        &["memory"],
        &["compression", "advise", "t"],
    ] {
        let arguments = [command, &["--bootstrap", NOBODY]].concat();
        let error = failed(&precursor(&arguments), 3);
        assert!(error.contains(NOBODY), "{error}");
        assert!(error.contains("precursor serve"), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    }
}

#[test]
fn scripts_get_their_errors_as_json() {
    let output = precursor(&["--output", "json", "topic", "list", "--bootstrap", NOBODY]);
    let error: serde_json::Value = serde_json::from_str(&failed(&output, 3)).unwrap();
    assert!(error["error"].as_str().unwrap().contains(NOBODY));
    assert!(error["next"].as_str().unwrap().contains("precursor serve"));
}

#[test]
fn what_speaks_no_kafka_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream
                .unwrap()
                .write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
        }
    });
    let error = failed(&precursor(&["consume", "t", "--bootstrap", &address]), 3);
    assert!(
        error.contains("does not speak the Kafka protocol"),
        "{error}"
    );
}

#[test]
fn a_broken_configuration_ends_before_anything_is_made() {
    let sandbox = Sandbox::new("exit 0", "exit 0");
    fs::write(sandbox.path("node.toml"), "dataplane.shard = 1\n").unwrap();
    let output = sandbox.serve(&["--config", "node.toml"]).output().unwrap();
    let error = failed(&output, 2);
    assert_eq!(
        error.trim_end(),
        "precursor: unknown option 'dataplane.shard' (node.toml line 1); did you mean \
         'dataplane.shards'?"
    );
    assert_eq!(sandbox.leftovers(), ["node.toml"]);
}

#[test]
fn a_busy_port_is_said_and_nothing_started() {
    let sandbox = Sandbox::new("touch started", "touch started");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(sandbox.path("precursor"));
    clean_environment(&mut command);
    command.current_dir(sandbox.directory.path()).args([
        "serve",
        "--listen",
        &address,
        "--data-dir",
        "data",
    ]);
    let error = failed(&command.output().unwrap(), 1);
    assert!(error.contains(&address), "{error}");
    assert!(
        error.contains("another program is using that port"),
        "{error}"
    );
    assert!(!sandbox.path("started").exists());
}

#[test]
fn a_data_directory_that_cannot_be_made_is_said() {
    let sandbox = Sandbox::new("exit 0", "exit 0");
    fs::write(sandbox.path("data"), "a file is in the way").unwrap();
    let error = failed(&sandbox.serve(&[]).output().unwrap(), 1);
    assert!(
        error.contains("the data directory data cannot be used"),
        "{error}"
    );
    let kept = fs::read_to_string(sandbox.path("data")).unwrap();
    assert_eq!(kept, "a file is in the way");
}

#[test]
fn a_data_directory_in_use_names_its_user() {
    let sandbox = Sandbox::new("exit 0", "exit 0");
    fs::create_dir(sandbox.path("data")).unwrap();
    let mut lock = File::create(sandbox.path("data/.lock")).unwrap();
    lock.try_lock().unwrap();
    writeln!(lock, "{}", std::process::id()).unwrap();
    let error = failed(&sandbox.serve(&[]).output().unwrap(), 1);
    let sentence = format!(
        "the data directory data is in use by process {}",
        std::process::id()
    );
    assert!(error.contains(&sentence), "{error}");
}

#[test]
fn a_child_that_refuses_to_start_ends_the_whole_once() {
    let refuse = "echo one >> starts; echo 'precursor-dataplane: the moon is full' >&2; exit 1";
    let sandbox = Sandbox::new(refuse, "exec sleep 60");
    let began = Instant::now();
    let error = failed(&sandbox.serve(&[]).output().unwrap(), 1);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(error.contains("the moon is full"), "{error}");
    assert!(error.contains("the data plane did not start"), "{error}");
    assert_eq!(fs::read_to_string(sandbox.path("starts")).unwrap(), "one\n");
    // The region was made for nothing and is gone again.
    assert_eq!(sandbox.leftovers(), ["data", "starts"]);
}

#[test]
fn a_missing_program_is_named() {
    let sandbox = Sandbox::new("exit 0", "exit 0");
    fs::remove_file(sandbox.path("precursor-controlplane")).unwrap();
    let error = failed(&sandbox.serve(&[]).output().unwrap(), 1);
    assert!(error.contains("the control plane is missing"), "{error}");
    assert!(!sandbox.path("data").exists());
}

/// Ends a child also when an assertion fails first.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < give_up, "waited 20 s for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_stop_reaches_the_children_in_order_and_leaves_nobody() {
    let child = |name: &str| {
        format!(
            "trap 'echo {name} >> order; exit 0' TERM; echo $$ > {name}.pid; \
             while :; do sleep 0.02; done"
        )
    };
    let sandbox = Sandbox::new(&child("data"), &child("control"));
    let mut serve = sandbox.serve(&[]);
    let serve = serve.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut supervisor = Guard(serve.spawn().unwrap());
    let written = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap_or_default();
    wait_for("both children", || {
        written("data.pid").ends_with('\n') && written("control.pid").ends_with('\n')
    });
    let pids = [written("data.pid"), written("control.pid")];
    assert!(pids.iter().all(|pid| alive(pid.trim())));
    let pid = Pid::from_raw(i32::try_from(supervisor.0.id()).unwrap());
    // Together they are one wish: `timeout` sends one to the process and one to its group.
    kill(pid, Signal::SIGTERM).unwrap();
    kill(pid, Signal::SIGINT).unwrap();
    let status = supervisor.0.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(written("order"), "control\ndata\n");
    assert!(pids.iter().all(|pid| !alive(pid.trim())));
    // Both flushed as far as the supervisor can know, so the region went with them.
    assert!(
        !sandbox
            .leftovers()
            .iter()
            .any(|name| name.starts_with("precursor-1-"))
    );
}

#[test]
fn a_second_signal_forces_the_end() {
    let stubborn =
        |name: &str| format!("trap '' TERM; echo $$ > {name}.pid; while :; do sleep 0.02; done");
    let sandbox = Sandbox::new(&stubborn("data"), &stubborn("control"));
    let mut serve = sandbox.serve(&[]);
    let serve = serve.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut supervisor = Guard(serve.spawn().unwrap());
    let written = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap_or_default();
    wait_for("both children", || {
        written("data.pid").ends_with('\n') && written("control.pid").ends_with('\n')
    });
    let pid = Pid::from_raw(i32::try_from(supervisor.0.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert!(
        supervisor.0.try_wait().unwrap().is_none(),
        "it waits for its children"
    );
    // On a machine that stands still both are heard together, and are one wish. Then another is due.
    let asked_again = Instant::now();
    let status = loop {
        kill(pid, Signal::SIGINT).unwrap();
        std::thread::sleep(Duration::from_millis(600));
        if let Some(status) = supervisor.0.try_wait().unwrap() {
            break status;
        }
        assert!(asked_again.elapsed() < Duration::from_secs(10));
    };
    assert_eq!(status.code(), Some(1), "not everything was flushed");
    for name in ["data.pid", "control.pid"] {
        assert!(!alive(written(name).trim()), "{name}");
    }
}
