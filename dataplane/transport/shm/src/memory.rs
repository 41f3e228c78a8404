//! The memory of one client: a sealed memfd of two pipes, mapped by both processes.
//!
//! | offset | what |
//! |---|---|
//! | 0 | cursors and flags of the client's pipe to the broker |
//! | 1024 | the same of the broker's pipe to the client |
//! | 4096 | bytes of the client's pipe |
//! | 4096 + ring | bytes of the broker's pipe |

use std::fs::File;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use precursor_memory::Mapping;

use crate::pipe::{Cell, PipeMemory, Reader, Writer};
use crate::sys;

/// Bytes of one direction's ring, at least and at most.
pub(crate) const RING_BYTES_MIN: u32 = 4 << 10;
pub(crate) const RING_BYTES_MAX: u32 = 64 << 20;

const DATA_OFFSET: usize = 4096;
const TO_CLIENT_OFFSET: usize = 1024;

/// Cursors and flags of one pipe. Those of different writers lie two lines apart: a neighbour is
/// prefetched with its line.
#[repr(C, align(128))]
struct Block {
    written: Line<AtomicU64>,
    read: Line<AtomicU64>,
    finished: Line<AtomicU32>,
    reader_sleeps: Line<AtomicU32>,
    writer_sleeps: Line<AtomicU32>,
}

#[repr(C, align(128))]
struct Line<T>(T);

const _: () = {
    assert!(size_of::<Block>() == 640 && size_of::<Block>() <= TO_CLIENT_OFFSET);
    assert!(TO_CLIENT_OFFSET + size_of::<Block>() <= DATA_OFFSET);
    assert!(offset_of!(Block, read) == 128);
    assert!(offset_of!(Block, finished) == 256);
    assert!(offset_of!(Block, reader_sleeps) == 384);
    assert!(offset_of!(Block, writer_sleeps) == 512);
};

/// Bytes of a client's memory whose rings have this size.
pub(crate) fn memory_bytes(ring_bytes: u32) -> usize {
    DATA_OFFSET + 2 * ring_bytes as usize
}

/// Whether rings can have this size.
pub(crate) fn ring_bytes_valid(ring_bytes: u32) -> bool {
    ring_bytes.is_power_of_two() && (RING_BYTES_MIN..=RING_BYTES_MAX).contains(&ring_bytes)
}

/// The mapping; lives as long as one of its pipes.
pub(crate) struct Memory {
    mapping: Mapping,
    ring_bytes: u32,
}

impl Memory {
    /// New memory, all zero and all there, and the descriptor to hand to the client. Its size is
    /// sealed: neither side can take pages away under the other.
    pub fn create(ring_bytes: u32) -> io::Result<(Arc<Memory>, OwnedFd)> {
        let bytes = memory_bytes(ring_bytes);
        let file = File::from(sys::memfd()?);
        file.set_len(bytes as u64)?;
        sys::seal_size(file.as_fd())?;
        let mapping = Mapping::shared(&file, bytes)?;
        mapping.prefault(0, bytes)?;
        let memory = Memory {
            mapping,
            ring_bytes,
        };
        Ok((Arc::new(memory), OwnedFd::from(file)))
    }

    /// The client's view of memory that it was handed.
    pub fn open(descriptor: OwnedFd, ring_bytes: u32) -> io::Result<Arc<Memory>> {
        let bytes = memory_bytes(ring_bytes);
        let file = File::from(descriptor);
        if !sys::size_is_sealed(file.as_fd())? || file.metadata()?.len() != bytes as u64 {
            return Err(io::Error::other(
                "the memory that the broker handed over is not what it says",
            ));
        }
        Ok(Arc::new(Memory {
            mapping: Mapping::shared(&file, bytes)?,
            ring_bytes,
        }))
    }

    /// The broker's ends: what the client sends, what it receives.
    pub fn broker_ends(self: &Arc<Self>) -> (Reader<SharedPipe>, Writer<SharedPipe>) {
        let (to_broker, to_client) = self.pipes();
        (Reader::new(to_broker), Writer::new(to_client))
    }

    /// The client's ends: what it receives, what it sends.
    pub fn client_ends(self: &Arc<Self>) -> (Reader<SharedPipe>, Writer<SharedPipe>) {
        let (to_broker, to_client) = self.pipes();
        (Reader::new(to_client), Writer::new(to_broker))
    }

    fn pipes(self: &Arc<Self>) -> (SharedPipe, SharedPipe) {
        let data = DATA_OFFSET + self.ring_bytes as usize;
        (self.pipe(0, DATA_OFFSET), self.pipe(TO_CLIENT_OFFSET, data))
    }

    fn pipe(self: &Arc<Self>, block: usize, data: usize) -> SharedPipe {
        let base = NonNull::new(self.mapping.as_ptr()).expect("a mapping is somewhere");
        assert!(data + self.ring_bytes as usize <= self.mapping.len());
        // SAFETY: both offsets lie within the mapping, as just asserted (the block lies before).
        let (block, data) = unsafe { (base.add(block).cast(), base.add(data)) };
        SharedPipe {
            block,
            data,
            capacity: u64::from(self.ring_bytes),
            _memory: self.clone(),
        }
    }
}

/// One pipe in shared memory. What the other process writes there is data and may change at any
/// time: cursors are atomics, and bytes are only ever copied, never referred to.
pub(crate) struct SharedPipe {
    block: NonNull<Block>,
    data: NonNull<u8>,
    capacity: u64,
    _memory: Arc<Memory>,
}

// SAFETY: the addresses lie in a shared mapping that `_memory` keeps, and a pipe's end has one owner.
unsafe impl Send for SharedPipe {}

impl SharedPipe {
    fn block(&self) -> &Block {
        // SAFETY: within the mapping and aligned (the layout's offsets are multiples of 128 and the
        // mapping is of pages); atomics may be shared with another process.
        unsafe { self.block.as_ref() }
    }
}

impl Cell<u64> for AtomicU64 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        AtomicU64::load(self, order)
    }
    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        AtomicU64::store(self, value, order);
    }
}

impl Cell<u32> for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
}

/// What of the ring is asked for ahead of the next message: a small request.
const SOON_WRITTEN: usize = 256;

impl PipeMemory for SharedPipe {
    type Cursor = AtomicU64;
    type Flag = AtomicU32;

    #[inline]
    fn written(&self) -> &AtomicU64 {
        &self.block().written.0
    }
    #[inline]
    fn read(&self) -> &AtomicU64 {
        &self.block().read.0
    }
    #[inline]
    fn finished(&self) -> &AtomicU32 {
        &self.block().finished.0
    }
    #[inline]
    fn reader_sleeps(&self) -> &AtomicU32 {
        &self.block().reader_sleeps.0
    }
    #[inline]
    fn writer_sleeps(&self) -> &AtomicU32 {
        &self.block().writer_sleeps.0
    }
    #[inline]
    fn fence(&self) {
        fence(Ordering::SeqCst);
    }
    #[inline]
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn copy_in(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.capacity as usize);
        // SAFETY: within the ring, as just asserted; the cursors say that these bytes are the
        // writer's, and a peer that does not keep to that reads or writes bytes of its own affair.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.as_ptr().add(at), bytes.len());
        }
    }

    fn copy_out(&self, at: usize, bytes: &mut [u8]) {
        assert!(at + bytes.len() <= self.capacity as usize);
        // SAFETY: within the ring, as just asserted. A peer that writes at this moment spoils the
        // copy, which is checked as any bytes from a client are.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.data.as_ptr().add(at),
                bytes.as_mut_ptr(),
                bytes.len(),
            );
        }
    }

    #[inline]
    fn will_read(&self, at: usize, bytes: usize) {
        let start = self.data.as_ptr().wrapping_add(at);
        precursor_memory::prefetch_to_read(start, bytes);
    }

    #[inline]
    fn will_write(&self, at: usize) {
        let start = self.data.as_ptr().wrapping_add(at);
        precursor_memory::prefetch_to_write(start, SOON_WRITTEN);
    }
}
