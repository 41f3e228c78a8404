//! A thin safe layer over the ring: only operations that name no memory of ours can be queued.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::uring::buffers::{BUFFER_GROUP, BufferRing};

const SUBMISSIONS: u32 = 256;
const COMPLETIONS: u32 = 8192;

pub(crate) struct Ring {
    ring: IoUring,
    /// The ring belongs to the thread that enables it: the first that polls.
    enabled: bool,
}

impl Ring {
    /// # Errors
    /// Whatever the kernel says: it is too old (EINVAL), or io_uring is forbidden (EPERM, ENOSYS).
    pub(crate) fn new() -> io::Result<Ring> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_r_disabled()
            .build(SUBMISSIONS)?;
        Ok(Ring {
            ring,
            enabled: false,
        })
    }

    pub(crate) fn register(&self, buffers: &BufferRing) -> io::Result<()> {
        let (address, entries) = buffers.location();
        // SAFETY: the ring of buffers is mapped, page-aligned, of that many entries, and outlives
        // this ring: `UringTransport` drops the ring first.
        unsafe {
            self.ring
                .submitter()
                .register_buf_ring_with_flags(address, entries, BUFFER_GROUP, 0)
        }
    }

    /// Binds the ring to the calling thread; later calls do nothing.
    pub(crate) fn enable(&mut self) -> io::Result<()> {
        if !self.enabled {
            self.ring.submitter().register_enable_rings()?;
            self.enabled = true;
        }
        Ok(())
    }

    /// Accepts until an error ends it; each completion holds a new descriptor.
    pub(crate) fn accept(&mut self, listener: RawFd, data: u64) {
        let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        self.push(
            opcode::AcceptMulti::new(Fd(listener)).flags(flags).build(),
            data,
        );
    }

    /// Receives into registered buffers until an end or error, or until cancelled.
    pub(crate) fn receive(&mut self, socket: RawFd, data: u64) {
        self.push(
            opcode::RecvMulti::new(Fd(socket), BUFFER_GROUP).build(),
            data,
        );
    }

    /// Completes once, when `descriptor` is ready for `interest`.
    pub(crate) fn poll_once(&mut self, descriptor: RawFd, interest: i16, data: u64) {
        self.push(
            opcode::PollAdd::new(Fd(descriptor), interest as u32).build(),
            data,
        );
    }

    /// Ends the operation that was queued with `target` as its data.
    pub(crate) fn cancel(&mut self, target: u64, data: u64) {
        self.push(opcode::AsyncCancel::new(target).build(), data);
    }

    fn push(&mut self, entry: squeue::Entry, data: u64) {
        let entry = entry.user_data(data);
        loop {
            // SAFETY: no operation of this module names memory of the process, so nothing has to
            // outlive it; buffers are the kernel's by `register`.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return;
            }
            // The queue is full. Before the first poll it cannot be emptied: what is queued then
            // is one entry per listener and watched descriptor.
            assert!(
                self.enabled,
                "{SUBMISSIONS} operations before the first poll"
            );
            self.ring.submit().ok();
        }
    }

    /// Hands over what is queued and lets completions arrive, waiting for the first one as long as
    /// `wait` says (`None`: for ever) when `may_wait`. Costs no system call when there is nothing
    /// to hand over and nothing has arrived.
    pub(crate) fn enter(&mut self, wait: Option<Duration>) -> io::Result<()> {
        let submission = self.ring.submission();
        let idle = submission.is_empty() && !submission.taskrun() && !submission.cq_overflow();
        drop(submission);
        let here = !self.ring.completion().is_empty();
        let may_wait = !here && wait != Some(Duration::ZERO);
        if idle && !may_wait {
            return Ok(());
        }
        let want = usize::from(may_wait);
        let entered = match wait {
            Some(duration) if may_wait => {
                let limit = Timespec::from(duration);
                let limit = SubmitArgs::new().timespec(&limit);
                self.ring.submitter().submit_with_args(want, &limit)
            }
            _ => self.ring.submitter().submit_and_wait(want),
        };
        match entered {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // The wait is over, or a signal came, or completions must be taken first.
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// The next completion: its data, result and flags.
    pub(crate) fn completion(&mut self) -> Option<(u64, i32, u32)> {
        let entry: cqueue::Entry = self.ring.completion().next()?;
        Some((entry.user_data(), entry.result(), entry.flags()))
    }

    /// Ends every operation now, so that sockets close when their descriptors do and not some time
    /// after the ring. The completions are there to be taken.
    pub(crate) fn cancel_all(&mut self) {
        if self.enabled {
            self.ring
                .submitter()
                .register_sync_cancel(None, CancelBuilder::any())
                .ok();
            self.enter(Some(Duration::ZERO)).ok();
        }
    }
}
