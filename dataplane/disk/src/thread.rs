//! The engine where io_uring is forbidden, and for files that the kernel cannot read by itself: a
//! thread that calls pread, pwrite and fdatasync, or what stands for them.

use crate::engine::{Kind, Operation};
use crate::{DiskFile, Helper, Wake};
use std::io;
use std::sync::Arc;

struct Task {
    index: u32,
    file: DiskFile,
    kind: Kind,
    offset: u64,
    address: usize,
    length: usize,
}

pub(crate) struct ThreadDriver(Helper<Task, (u32, Result<u32, i32>)>);

impl ThreadDriver {
    pub fn new(depth: u32, wake: &Arc<Wake>) -> io::Result<Self> {
        Self::settled("disk", depth as usize, wake, || {})
    }

    /// `settle` is the thread's first act.
    pub fn settled(
        name: &str,
        depth: usize,
        wake: &Arc<Wake>,
        settle: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let run = |task: Task| (task.index, perform(&task));
        let helper = Helper::spawn_settled(name.to_owned(), depth, wake.clone(), settle, run);
        Ok(ThreadDriver(helper?))
    }

    pub fn push(&mut self, index: u32, file: &DiskFile, operation: &Operation) {
        let task = Task {
            index,
            file: file.clone(),
            kind: operation.kind,
            offset: operation.offset,
            address: operation.address as usize,
            length: operation.length,
        };
        // It takes as many as there are slots.
        let sent = self.0.try_send(task);
        assert!(sent.is_ok(), "the disk thread lives");
    }

    pub fn is_busy(&self) -> bool {
        self.0.is_busy()
    }

    pub fn poll(&mut self, done: &mut Vec<(u32, Result<u32, i32>)>) {
        while let Some(result) = self.0.try_receive() {
            done.push(result);
        }
    }
}

fn perform(task: &Task) -> Result<u32, i32> {
    let operation = Operation {
        kind: task.kind,
        offset: task.offset,
        address: task.address as *mut u8,
        length: task.length,
    };
    run_blocking(&task.file, &operation)
}

/// Does an operation on the calling thread.
pub(crate) fn run_blocking(file: &DiskFile, operation: &Operation) -> Result<u32, i32> {
    let outcome = match operation.kind {
        Kind::Read => {
            // SAFETY: the range lies within the disk's memory, mapped until every operation has
            // ended; the memory is shared bytes that the caller leaves alone until the completion.
            let buffer =
                unsafe { std::slice::from_raw_parts_mut(operation.address, operation.length) };
            file.read_at(buffer, operation.offset)
        }
        Kind::Write => {
            // SAFETY: as above; bytes past the committed ones may change meanwhile, and whichever
            // values are written there are written again later.
            let bytes = unsafe { std::slice::from_raw_parts(operation.address, operation.length) };
            file.write_at(bytes, operation.offset)
                .map(|()| operation.length)
        }
        Kind::Sync => file.sync().map(|()| 0),
    };
    outcome
        .map(|count| count as u32)
        .map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
}
