//! The engine over io_uring.

use crate::engine::{Kind, Operation};
use crate::{DiskFile, Wake};
use io_uring::{IoUring, opcode, types};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

pub(crate) struct UringDriver {
    ring: IoUring,
    unsubmitted: usize,
    /// Rung by the kernel; open as long as the ring.
    _wake: Arc<Wake>,
}

impl UringDriver {
    pub fn new(depth: u32, wake: &Arc<Wake>, hold: Option<RawFd>) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_clamp()
            .setup_cqsize(depth.next_power_of_two() * 2)
            .build(depth.next_power_of_two())?;
        ring.submitter().register_eventfd(wake.descriptor())?;
        if let Some(descriptor) = hold {
            ring.submitter().register_files(&[descriptor])?;
        }
        Ok(UringDriver {
            ring,
            unsubmitted: 0,
            _wake: wake.clone(),
        })
    }

    pub fn push(&mut self, index: u32, file: &DiskFile, operation: &Operation) {
        let descriptor = types::Fd(file.descriptor().unwrap_or(-1));
        let length = operation.length as u32;
        let entry = match operation.kind {
            Kind::Read => opcode::Read::new(descriptor, operation.address, length)
                .offset(operation.offset)
                .build(),
            Kind::Write => opcode::Write::new(descriptor, operation.address, length)
                .offset(operation.offset)
                .build(),
            Kind::Sync => opcode::Fsync::new(descriptor)
                .flags(types::FsyncFlags::DATASYNC)
                .build(),
        };
        let entry = entry.user_data(u64::from(index));
        // SAFETY: the address range lies within the disk's memory, which is dropped after every
        // operation has ended (`Disk::drop` waits), and the slot table holds the file open.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        // The ring has at least as many entries as there are slots.
        assert!(pushed.is_ok(), "a submission queue as deep as the slots");
        self.unsubmitted += 1;
    }

    pub fn submit(&mut self) {
        if self.unsubmitted == 0 {
            return;
        }
        // EBUSY, EAGAIN, EINTR: entries stay queued and go with the next submit.
        if let Ok(count) = self.ring.submit() {
            self.unsubmitted -= count.min(self.unsubmitted);
        }
    }

    pub fn wait(&mut self) {
        if self.ring.submit_and_wait(1).is_ok() {
            self.unsubmitted = 0;
        }
    }

    pub fn poll(&mut self, done: &mut Vec<(u32, Result<u32, i32>)>) {
        for completion in self.ring.completion() {
            let result = completion.result();
            done.push((
                completion.user_data() as u32,
                u32::try_from(result).map_err(|_| -result),
            ));
        }
    }
}
