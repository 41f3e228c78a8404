//! Signals as something to wait for: blocked for the process and read from a descriptor, so that
//! no handler runs.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// The signals that ask for a clean stop.
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks the signals for this thread and those it will start.
    ///
    /// # Errors
    /// The kernel gave no descriptor.
    pub fn new() -> io::Result<Signals> {
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            mask.add(signal);
        }
        mask.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&mask, flags)?;
        Ok(Signals { descriptor })
    }

    /// Waits at most so long for a wish to stop; true when one came.
    pub fn wait(&mut self, longest: Duration) -> bool {
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        // An interrupted or failed wait is a short one: the caller looks again.
        let _ = poll(&mut descriptors, timeout);
        matches!(self.descriptor.read_signal(), Ok(Some(_)))
    }
}
