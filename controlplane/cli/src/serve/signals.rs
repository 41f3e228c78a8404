//! Signals as events: blocked for the process and read from a descriptor, so no handler runs.

use std::io;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The supervisor's signals. Made before any other thread exists: threads inherit the block.
/// Children do not: the standard library empties the mask before it runs another program.
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGCHLD and routes them here.
    ///
    /// # Errors
    /// The kernel gave no descriptor.
    pub fn new() -> io::Result<Signals> {
        let mut mask = SigSet::empty();
        for signal in [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGCHLD,
        ] {
            mask.add(signal);
        }
        mask.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&mask, flags)?;
        Ok(Signals { descriptor })
    }

    /// Waits for a signal, at most `timeout_ms` (`None`: for ever), and returns how many wishes to
    /// stop have come. A child's end only ends the wait.
    ///
    /// # Errors
    /// The descriptor failed.
    pub fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<usize> {
        let timeout = match timeout_ms {
            Some(ms) => PollTimeout::try_from(ms.min(3_600_000)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let mut descriptors = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut stops = 0;
        while let Some(info) = self.descriptor.read_signal()? {
            stops += usize::from(info.ssi_signo != Signal::SIGCHLD as u32);
        }
        Ok(stops)
    }
}
