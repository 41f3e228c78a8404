//! Files and how they are driven.

use io_uring::IoUring;
use nix::sys::resource::{Resource, getrlimit};

use super::host::Host;
use super::{Finding, State};

/// Connections and segment files of a busy broker.
const OPEN_FILES_GOOD: u64 = 65_536;

pub fn io_uring(host: &Host) -> Finding {
    let why = "Disk reads and writes go through io_uring; without it threads do them.";
    // Tried, not guessed: containers and sysctls forbid it in several ways.
    match IoUring::new(8) {
        Ok(ring) => {
            let mut probe = io_uring::Probe::new();
            let known = ring.submitter().register_probe(&mut probe).is_ok();
            let zero_copy = known && probe.is_supported(io_uring::opcode::SendZc::CODE);
            let found = match zero_copy {
                true => "works, with sends without copies",
                false => "works, without sends without copies",
            };
            Finding::new("io_uring", why, State::Good, found)
        }
        Err(error) => {
            let forbidden = host
                .number("proc/sys/kernel/io_uring_disabled")
                .unwrap_or(0);
            let finding = Finding::new("io_uring", why, State::Absent, error.to_string());
            match forbidden {
                0 => finding.mend("Allow io_uring_setup in the container's seccomp profile"),
                _ => finding.mend("sudo sysctl -w kernel.io_uring_disabled=0"),
            }
        }
    }
}

pub fn open_files() -> Finding {
    let why =
        "Every connection is an open file, and so are the segments and indexes of partitions.";
    let name = "open files";
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) => {
            let found = format!("{soft}, may be raised to {hard}");
            match hard {
                OPEN_FILES_GOOD.. => Finding::new(name, why, State::Good, found),
                _ => Finding::new(name, why, State::Improvable, found)
                    .mend("LimitNOFILE=1048576 in the systemd unit, or: ulimit -n 1048576"),
            }
        }
        Err(error) => Finding::new(name, why, State::Absent, error.to_string()),
    }
}
