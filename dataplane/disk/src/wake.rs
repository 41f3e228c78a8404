//! The descriptor that ends a shard's wait when disk work is done.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// An eventfd: any thread, and the kernel's io_uring, may ring it; its owner drains it.
#[derive(Debug)]
pub struct Wake(File);

impl Wake {
    pub fn new() -> io::Result<Wake> {
        // SAFETY: eventfd takes no pointers; the result is checked.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, open, and owned by nobody else.
        Ok(Wake(unsafe { File::from_raw_fd(descriptor) }))
    }

    /// Makes the descriptor readable.
    pub fn ring(&self) {
        // A full counter is readable already, which is all that is wanted.
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    /// Makes it unreadable until the next ring.
    pub fn drain(&self) {
        let mut count = [0u8; 8];
        let _ = (&self.0).read(&mut count);
    }

    /// Blocks until it is readable, and drains it.
    pub fn wait(&self) {
        let mut ready = libc::pollfd {
            fd: self.descriptor(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one entry, which outlives the call. A signal that ends it early does no harm:
        // whoever waits looks again for what it waits for.
        unsafe { libc::poll(&raw mut ready, 1, -1) };
        self.drain();
    }

    pub fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
