//! Waiting for descriptors, and FIFOs: the only unsafe code of this crate.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use libc::c_int;

/// Readable descriptors taken at a time; more are found by the next look.
const READY_MAX: usize = 16;

/// Descriptors that are watched for being readable, each with a token.
pub(crate) struct WaitSet {
    epoll: OwnedFd,
    ready: [libc::epoll_event; READY_MAX],
    count: usize,
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

impl WaitSet {
    pub(crate) fn new() -> io::Result<WaitSet> {
        // SAFETY: takes no pointers.
        let epoll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(WaitSet {
            // SAFETY: epoll_create1 has just made this descriptor; nobody else owns it.
            epoll: unsafe { OwnedFd::from_raw_fd(epoll) },
            ready: [libc::epoll_event { events: 0, u64: 0 }; READY_MAX],
            count: 0,
        })
    }

    /// Watches `descriptor` from now on; it is the caller's to keep open.
    pub(crate) fn add(&self, descriptor: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: token,
        };
        let epoll = self.epoll.as_raw_fd();
        // SAFETY: `event` outlives the call; a bad descriptor is answered with EBADF.
        check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, descriptor, &mut event) })
            .map(|_| ())
    }

    /// Waits at most `wait` until one is readable. A signal ends the wait.
    pub(crate) fn wait(&mut self, wait: Duration) -> io::Result<()> {
        self.count = 0;
        let timeout = libc::timespec {
            tv_sec: wait.as_secs().min(i32::MAX as u64) as libc::time_t,
            tv_nsec: libc::c_long::from(wait.subsec_nanos()),
        };
        // SAFETY: `ready` has room for as many events as are asked for, the timeout outlives the
        // call, and no signal mask is passed.
        let result = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.epoll.as_raw_fd(),
                self.ready.as_mut_ptr(),
                READY_MAX as c_int,
                &raw const timeout,
                std::ptr::null::<libc::sigset_t>(),
                0,
            )
        };
        match check(result as c_int) {
            Ok(count) => self.count = count as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes the token of one that the last look found readable.
    pub(crate) fn next(&mut self) -> Option<u64> {
        self.count = self.count.checked_sub(1)?;
        Some(self.ready[self.count].u64)
    }
}

/// Makes a FIFO that its owner alone may open.
pub(crate) fn make_fifo(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a string with its end, which outlives the call.
    check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }).map(|_| ())
}

/// Gives a pipe more room; one that may not have it works too.
pub(crate) fn widen_pipe(pipe: &File, bytes: c_int) {
    // SAFETY: takes no pointers; a bad descriptor is answered with EBADF.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_readable_is_found_until_it_is_drained() {
        let mut set = WaitSet::new().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        set.add(reader.as_raw_fd(), 7).unwrap();
        set.wait(Duration::from_millis(1)).unwrap();
        assert_eq!(set.next(), None);
        writer.write_all(b"!").unwrap();
        for _ in 0..2 {
            set.wait(Duration::from_secs(9)).unwrap();
            assert_eq!(set.next(), Some(7));
            assert_eq!(set.next(), None);
        }
        assert!(set.add(-1, 8).is_err());
    }
}
