//! The engine over io_uring.

use crate::engine::{Kind, Operation};
use crate::{DiskFile, Wake};
use io_uring::{IoUring, opcode, types};
use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

/// Bytes that one submit hands to the kernel, once there are so many: it pins their pages and makes
/// the requests on the caller's time, some 100 µs for each MiB, and the caller has others to serve.
const SUBMIT_BYTES_MAX: usize = 1 << 20;

pub(crate) struct UringDriver {
    ring: IoUring,
    /// Bytes of each operation that the kernel does not know of yet.
    unsubmitted: VecDeque<usize>,
    /// Rung by the kernel; open as long as the ring.
    _wake: Arc<Wake>,
}

impl UringDriver {
    /// `lanes`: an operation that never ends must not take the kernel's last worker from those of
    /// other lanes.
    pub fn new(
        (depth, lanes): (u32, usize),
        wake: &Arc<Wake>,
        hold: Option<RawFd>,
    ) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_clamp()
            .setup_cqsize(depth.next_power_of_two() * 2)
            .build(depth.next_power_of_two())?;
        ring.submitter().register_eventfd(wake.descriptor())?;
        if lanes > 1 {
            // A worker for each operation that may wait; 0: as many for sockets as there are. Kernels
            // before 5.15 do not know this, and choose by themselves.
            let _ = ring.submitter().register_iowq_max_workers(&mut [depth, 0]);
        }
        if let Some(descriptor) = hold {
            ring.submitter().register_files(&[descriptor])?;
        }
        Ok(UringDriver {
            ring,
            unsubmitted: VecDeque::with_capacity(depth as usize),
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
        self.unsubmitted.push_back(operation.length);
    }

    /// Hands operations to the kernel; returns whether it has all of them.
    pub fn submit(&mut self) -> bool {
        let (mut count, mut bytes) = (0, 0);
        for length in &self.unsubmitted {
            if bytes >= SUBMIT_BYTES_MAX {
                break;
            }
            count += 1;
            bytes += length;
        }
        if count == 0 {
            return true;
        }
        // SAFETY: no argument beside the two counts.
        let taken = unsafe { self.ring.submitter().enter::<()>(count, 0, 0, None) };
        // EBUSY, EAGAIN, EINTR: entries stay queued and go with the next submit.
        for _ in 0..taken.unwrap_or(0) {
            self.unsubmitted.pop_front();
        }
        self.unsubmitted.is_empty()
    }

    pub fn wait(&mut self) {
        if self.ring.submit_and_wait(1).is_ok() {
            self.unsubmitted.clear();
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
