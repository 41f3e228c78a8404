//! A child process: found beside this executable, started in a process group of its own.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::engine::{Exit, Role};
use crate::failure::Failure;

/// The name of a role's program.
fn program(role: Role) -> &'static str {
    match role {
        Role::DataPlane => "precursor-dataplane",
        Role::ControlPlane => "precursor-controlplane",
    }
}

/// The path of a role's program, beside this executable.
///
/// # Errors
/// It is not there.
pub fn executable(role: Role) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::new(format!("this program's own path is unknown: {error}")))?;
    let path = own.with_file_name(program(role));
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::new(format!(
        "the {} is missing: there is no {}",
        role.name(),
        path.display()
    ))
    .next("Build it beside this program: cargo build --release --bins"))
}

/// Starts a role. Its own process group keeps a terminal's Ctrl-C away from it: the supervisor
/// alone decides the order of a stop. Its standard output goes to our standard error, because ours
/// carries exactly one line.
///
/// # Errors
/// The program cannot be run.
pub fn start(role: Role, arguments: &[String]) -> Result<Child, Failure> {
    let path = executable(role)?;
    let spawn = || -> io::Result<Child> {
        let standard_error = std::io::stderr().as_fd().try_clone_to_owned()?;
        Command::new(&path)
            .args(arguments)
            .arg("--supervised-by")
            .arg(std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::from(standard_error))
            .process_group(0)
            .spawn()
    };
    spawn().map_err(|error| {
        Failure::new(format!(
            "the {} cannot be started from {}: {error}",
            role.name(),
            path.display()
        ))
    })
}

/// Sends a signal; a child that is gone already is no error.
pub fn signal(child: &Child, signal: Signal) {
    let Ok(pid) = i32::try_from(child.id()) else {
        return;
    };
    // ESRCH cannot name another process: the child is ours until it is waited for.
    let _ = kill(Pid::from_raw(pid), signal);
}

/// A finished child's end.
pub fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(-1),
    }
}
