//! Signals as events. Handlers that write into a pipe, rather than a blocked mask and signalfd:
//! children inherit a mask, and would then never hear a SIGTERM.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::pipe::register;

/// The supervisor's signals.
pub struct Signals {
    /// One byte per wish to stop.
    stops: UnixStream,
    /// One byte per child that ended.
    ends: UnixStream,
}

impl Signals {
    /// Routes SIGINT, SIGTERM, SIGQUIT, SIGHUP and SIGCHLD here. A SIGHUP that is ignored stays
    /// so: nohup wants it.
    ///
    /// # Errors
    /// The kernel refused a pipe or a handler.
    pub fn new() -> io::Result<Signals> {
        let (stops, stop) = UnixStream::pair()?;
        let (ends, end) = UnixStream::pair()?;
        let mut wishes = vec![SIGINT, SIGTERM, SIGQUIT];
        wishes.extend((!is_ignored(SIGHUP)).then_some(SIGHUP));
        for signal in wishes {
            register(signal, stop.try_clone()?)?;
        }
        register(SIGCHLD, end)?;
        stops.set_nonblocking(true)?;
        ends.set_nonblocking(true)?;
        Ok(Signals { stops, ends })
    }

    /// Waits for a signal, at most `timeout_ms` (`None`: for ever), and returns how many wishes to
    /// stop have come. A child's end only ends the wait.
    ///
    /// # Errors
    /// The pipes failed.
    pub fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<usize> {
        let timeout = match timeout_ms {
            Some(ms) => PollTimeout::try_from(ms.min(3_600_000)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let mut descriptors = [
            PollFd::new(self.stops.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.ends.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        drain(&mut self.ends)?;
        drain(&mut self.stops)
    }
}

/// Reads what is there; returns how many bytes that was.
fn drain(stream: &mut UnixStream) -> io::Result<usize> {
    let mut count = 0;
    let mut bytes = [0; 64];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(count),
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether this process was started with a signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
