//! Doorbells: how one process wakes another that said it sleeps.
//!
//! A named FIFO beside the region, because unrelated processes can open it by its name and any
//! poller can wait on it. Both sides hold it open for reading and writing, so it never reports an
//! end, whoever dies.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Whom a doorbell wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorbellName {
    /// The data plane's shard of this number.
    Shard(u16),
    /// The control plane, one bell for the rings of all shards.
    Control,
}

impl DoorbellName {
    pub(crate) fn file_name(self) -> String {
        match self {
            DoorbellName::Shard(shard) => format!("doorbell-shard-{shard}"),
            DoorbellName::Control => "doorbell-control".to_owned(),
        }
    }
}

/// An open doorbell. The sleeper polls its descriptor for reading; the others ring.
#[derive(Debug)]
pub struct Doorbell {
    fifo: File,
}

impl Doorbell {
    pub(crate) fn open(path: &Path) -> io::Result<Doorbell> {
        let name = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: `name` is a C string that lives through the call.
        if unsafe { libc::mkfifo(name.as_ptr(), 0o600) } != 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
        }
        let fifo = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(path)?;
        if !fifo.metadata()?.file_type().is_fifo() {
            return Err(io::Error::other(format!(
                "{} is not a FIFO",
                path.display()
            )));
        }
        Ok(Doorbell { fifo })
    }

    /// Wakes the sleeper. A bell that rings already stays ringing.
    pub fn ring(&self) {
        // A full FIFO has a thousand unheard rings in it: one more says nothing new.
        let _ = (&self.fifo).write(&[1]);
    }

    /// Takes all rings so far, so that the descriptor is quiet again. True if there was any.
    pub fn drain(&self) -> bool {
        let mut rings = [0; 64];
        let mut rang = false;
        loop {
            match (&self.fifo).read(&mut rings) {
                Ok(count) => {
                    rang |= count > 0;
                    if count < rings.len() {
                        return rang;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return rang,
            }
        }
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

impl AsRawFd for Doorbell {
    fn as_raw_fd(&self) -> RawFd {
        self.fifo.as_raw_fd()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn rings_across_openings_and_never_blocks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bell");
        let sleeper = Doorbell::open(&path).unwrap();
        let waker = Doorbell::open(&path).unwrap();
        assert!(!sleeper.drain());
        waker.ring();
        assert!(sleeper.drain());
        assert!(!sleeper.drain());
        // More rings than a FIFO holds.
        for _ in 0..100_000 {
            waker.ring();
        }
        drop(waker);
        assert!(sleeper.drain());
        assert!(!sleeper.drain());
    }

    #[test]
    fn anything_else_of_that_name_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bell");
        std::fs::write(&path, b"a file").unwrap();
        assert!(Doorbell::open(&path).is_err());
    }
}
