//! Reads, writes and syncs that do not block their caller.

use crate::sim::SimDriver;
use crate::thread::ThreadDriver;
use crate::uring::UringDriver;
use crate::{DiskFile, Memory, MemoryRange, Wake};
use std::io;
use std::sync::Arc;

/// The end of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The caller's name for the operation.
    pub token: u64,
    /// Bytes moved, which may be fewer than asked for, or the errno.
    pub result: Result<u32, i32>,
}

/// How a [`Disk`] works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskDriver {
    /// io_uring, or the thread where the kernel forbids it.
    Auto,
    /// A thread that calls pread and pwrite.
    Thread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    Sync,
}

/// An operation with its memory resolved to an address.
pub(crate) struct Operation {
    pub kind: Kind,
    pub offset: u64,
    pub address: *mut u8,
    pub length: usize,
}

enum Driver {
    Uring(Box<UringDriver>),
    /// By lane.
    Threads(Vec<ThreadDriver>),
    Sim(SimDriver),
}

struct Slot {
    token: u64,
    /// Keeps the descriptor open while the kernel works on it.
    file: DiskFile,
}

/// The data path of one shard. Belongs to its thread.
pub struct Disk<M: Memory> {
    driver: Driver,
    /// For files that the kernel cannot read by itself, by lane; empty: there are to be none.
    side: Vec<ThreadDriver>,
    lanes: usize,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    done: Vec<(u32, Result<u32, i32>)>,
    /// After `driver`, so that no operation outlives the memory.
    memory: M,
}

impl<M: Memory> Disk<M> {
    /// A disk with at most `depth` operations under way, on files of the operating system. An
    /// operation that never ends holds up at most those of its own of `lanes` lanes.
    ///
    /// `hold` is a descriptor that the kernel keeps open until the last operation of this ring has
    /// ended, even when the process is killed: a lock on it tells a successor when it may begin.
    pub fn new(
        driver: DiskDriver,
        (depth, lanes): (u32, usize),
        memory: M,
        wake: &Arc<Wake>,
        hold: Option<std::os::fd::RawFd>,
    ) -> io::Result<Self> {
        let threads = || {
            let threads = (0..lanes).map(|_| ThreadDriver::new(depth, wake));
            io::Result::Ok(Driver::Threads(threads.collect::<io::Result<_>>()?))
        };
        let driver = match driver {
            DiskDriver::Auto => match UringDriver::new((depth, lanes), wake, hold) {
                Ok(uring) => Driver::Uring(Box::new(uring)),
                Err(_) => threads()?,
            },
            DiskDriver::Thread => threads()?,
        };
        Ok(Self::with_driver(driver, (depth, lanes), memory))
    }

    /// Starts a thread in each lane for files without a descriptor, whose reads take time of a
    /// processor; `settle` is its first act. Without it they are not to be read through this disk.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn with_side_threads(
        mut self,
        wake: &Arc<Wake>,
        settle: impl FnOnce() + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let depth = self.slots.len();
        let thread = |_| ThreadDriver::settled("unpack", depth, wake, settle.clone());
        self.side = (0..self.lanes).map(thread).collect::<io::Result<_>>()?;
        Ok(self)
    }

    /// A disk for files of [`crate::sim`]: operations end in an order drawn from `seed`.
    pub fn simulated(depth: u32, memory: M, seed: u64) -> Self {
        Self::with_driver(Driver::Sim(SimDriver::new(seed)), (depth, 1), memory)
    }

    fn with_driver(driver: Driver, (depth, lanes): (u32, usize), memory: M) -> Self {
        Disk {
            driver,
            side: Vec::new(),
            lanes: lanes.max(1),
            slots: (0..depth).map(|_| None).collect(),
            free: (0..depth).rev().collect(),
            done: Vec::with_capacity(depth as usize),
            memory,
        }
    }

    /// The memory, for whoever fills and reads it.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The memory, to be changed. Ranges of operations under way are to be left alone.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }

    /// For the start report: "io_uring", "thread" or "sim".
    pub fn driver_name(&self) -> &'static str {
        match self.driver {
            Driver::Uring(_) => "io_uring",
            Driver::Threads(_) => "thread",
            Driver::Sim(_) => "sim",
        }
    }

    /// Operations that could be begun now.
    pub fn capacity(&self) -> usize {
        self.free.len()
    }

    /// True while an operation is under way.
    pub fn is_busy(&self) -> bool {
        self.free.len() < self.slots.len()
    }

    /// Begins to write memory to a file. False when `capacity` is 0.
    pub fn write(
        &mut self,
        lane: usize,
        file: &DiskFile,
        offset: u64,
        from: MemoryRange,
        token: u64,
    ) -> bool {
        self.begin(Kind::Write, (lane, file), offset, from, token)
    }

    /// Begins to read a file into memory that the caller leaves alone until the completion.
    pub fn read(
        &mut self,
        lane: usize,
        file: &DiskFile,
        offset: u64,
        into: MemoryRange,
        token: u64,
    ) -> bool {
        self.begin(Kind::Read, (lane, file), offset, into, token)
    }

    /// Begins to make completed writes durable.
    pub fn sync(&mut self, lane: usize, file: &DiskFile, token: u64) -> bool {
        let nothing = MemoryRange {
            start: 0,
            length: 0,
        };
        self.begin(Kind::Sync, (lane, file), 0, nothing, token)
    }

    fn begin(
        &mut self,
        kind: Kind,
        (lane, file): (usize, &DiskFile),
        offset: u64,
        range: MemoryRange,
        token: u64,
    ) -> bool {
        let end = range.start.checked_add(range.length);
        assert!(
            end.is_some_and(|end| end <= self.memory.length()),
            "an operation must lie within the memory"
        );
        let Some(index) = self.free.pop() else {
            return false;
        };
        let operation = Operation {
            kind,
            offset,
            // The range was checked, so the address lies within the memory.
            address: self.memory.base().wrapping_add(range.start),
            length: range.length,
        };
        let lane = lane % self.lanes;
        match (self.side.get_mut(lane), &mut self.driver) {
            (Some(side), _) if file.descriptor().is_none() => side.push(index, file, &operation),
            (_, Driver::Uring(driver)) => driver.push(index, file, &operation),
            (_, Driver::Threads(drivers)) => drivers[lane].push(index, file, &operation),
            (_, Driver::Sim(driver)) => driver.push(index, file, &operation),
        }
        self.slots[index as usize] = Some(Slot {
            token,
            file: file.clone(),
        });
        true
    }

    /// Hands begun operations to the kernel: one system call, none without any. Of many large ones
    /// a part, so that the caller is not held up for long: false, and it is to be called again soon.
    pub fn submit(&mut self) -> bool {
        match &mut self.driver {
            Driver::Uring(driver) => driver.submit(),
            Driver::Threads(_) | Driver::Sim(_) => true,
        }
    }

    /// Appends what ended to `completions`; returns whether anything did.
    pub fn poll(&mut self, completions: &mut Vec<Completion>) -> bool {
        match &mut self.driver {
            Driver::Uring(driver) => driver.poll(&mut self.done),
            Driver::Threads(drivers) => {
                for driver in drivers {
                    driver.poll(&mut self.done);
                }
            }
            Driver::Sim(driver) => driver.poll(&mut self.done),
        }
        for side in &mut self.side {
            side.poll(&mut self.done);
        }
        let any = !self.done.is_empty();
        for (index, result) in self.done.drain(..) {
            let Some(slot) = self.slots.get_mut(index as usize).and_then(Option::take) else {
                continue;
            };
            drop(slot.file);
            self.free.push(index);
            completions.push(Completion {
                token: slot.token,
                result,
            });
        }
        any
    }
}

impl<M: Memory> Drop for Disk<M> {
    fn drop(&mut self) {
        // The kernel may still write into the memory: wait before it can be unmapped.
        let mut ignored = Vec::new();
        while self.is_busy() {
            self.submit();
            let is_aside = self.side.iter().any(ThreadDriver::is_busy);
            if let (Driver::Uring(driver), false) = (&mut self.driver, is_aside) {
                driver.wait();
            }
            if !self.poll(&mut ignored) {
                std::thread::yield_now();
            }
            ignored.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BLOCK, FileSystem, OpenMode, SystemFileSystem, direct_io_works};
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::time::{Duration, Instant};

    struct HeapMemory(*mut u8, Layout);

    impl HeapMemory {
        fn new(blocks: usize) -> Self {
            let layout = Layout::from_size_align(blocks * BLOCK as usize, BLOCK as usize).unwrap();
            // SAFETY: the layout has a size.
            HeapMemory(unsafe { alloc_zeroed(layout) }, layout)
        }
    }

    impl Drop for HeapMemory {
        fn drop(&mut self) {
            // SAFETY: allocated with this layout, once.
            unsafe { dealloc(self.0, self.1) };
        }
    }

    // SAFETY: the allocation lives as long as the value and no reference into it is ever made.
    unsafe impl Memory for HeapMemory {
        fn base(&self) -> *mut u8 {
            self.0
        }
        fn length(&self) -> usize {
            self.1.size()
        }
    }

    fn wait(disk: &mut Disk<HeapMemory>, count: usize) -> Vec<Completion> {
        let mut done = Vec::new();
        let begun = Instant::now();
        while done.len() < count {
            disk.submit();
            disk.poll(&mut done);
            assert!(begun.elapsed() < Duration::from_secs(10), "the disk hangs");
        }
        done
    }

    fn write_then_read_back(driver: DiskDriver, direct: bool) {
        let directory = tempfile::tempdir().unwrap();
        let direct = direct && direct_io_works(directory.path());
        let files = SystemFileSystem::new(direct);
        let path = directory.path().join("file");
        files.open(&path, OpenMode::Create).unwrap();
        let file = files.open(&path, OpenMode::Data).unwrap();

        let memory = HeapMemory::new(4);
        let base = memory.0;
        let wake = Arc::new(Wake::new().unwrap());
        let mut disk = Disk::new(driver, (8, 1), memory, &wake, None).unwrap();
        let block = BLOCK as usize;
        // SAFETY: within the allocation; nothing is under way yet.
        unsafe { base.write_bytes(0x5a, 2 * block) };
        let whole = MemoryRange {
            start: 0,
            length: 2 * block,
        };
        assert!(disk.write(0, &file, BLOCK, whole, 1));
        assert_eq!(wait(&mut disk, 1)[0].result, Ok(2 * block as u32));
        assert!(disk.sync(0, &file, 2));
        assert_eq!(wait(&mut disk, 1)[0].result, Ok(0));
        let second = MemoryRange {
            start: 2 * block,
            length: 2 * block,
        };
        // Past the end: fewer bytes than asked for.
        assert!(disk.read(0, &file, 2 * BLOCK, second, 3));
        let expected = Completion {
            token: 3,
            result: Ok(block as u32),
        };
        assert_eq!(wait(&mut disk, 1), [expected]);
        // SAFETY: within the allocation; the read has ended.
        unsafe {
            assert_eq!(base.add(2 * block).read(), 0x5a);
            assert_eq!(base.add(3 * block).read(), 0);
        }
        let files: &dyn FileSystem = &files;
        assert_eq!(files.read(&path).unwrap().len(), 3 * block);
    }

    #[test]
    fn bytes_come_back_through_every_driver() {
        write_then_read_back(DiskDriver::Auto, true);
        write_then_read_back(DiskDriver::Auto, false);
        write_then_read_back(DiskDriver::Thread, true);
        write_then_read_back(DiskDriver::Thread, false);
    }

    #[test]
    fn depth_is_a_bound_and_errors_are_completions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let files = SystemFileSystem::new(false);
        let file = files.open(&path, OpenMode::Create).unwrap();
        let wake = Arc::new(Wake::new().unwrap());
        let memory = HeapMemory::new(1);
        let mut disk = Disk::new(DiskDriver::Auto, (2, 1), memory, &wake, None).unwrap();
        let range = MemoryRange {
            start: 0,
            length: 16,
        };
        // A negative offset of the kernel's point of view.
        assert!(disk.write(0, &file, u64::MAX - 64, range, 1));
        assert!(disk.write(0, &file, 0, range, 2));
        assert!(!disk.write(0, &file, 0, range, 3), "two are under way");
        let mut done = wait(&mut disk, 2);
        done.sort_by_key(|completion| completion.token);
        assert!(done[0].result.is_err(), "{done:?}");
        assert_eq!(done[1].result, Ok(16));
        assert_eq!(disk.capacity(), 2);
    }
}
