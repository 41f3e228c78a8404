//! A shard's buffers in the region: lent by the pool's owner, given back by dropping them, on
//! whatever thread they ended up.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use precursor_memory::{CHUNK_BYTES, Mapping, ORDER_MAX, UNIT_BYTES, order_for};

use crate::blocks::Blocks;
use crate::chunks::{PoolOptions, Span};
use crate::region::Claim;

/// Large buffers' bytes that a new pool allows at once.
const LARGE_BYTES_MAX: usize = 256 << 20;
/// Returned buffers of one size that stay whole, ready to be lent again: most are lent and returned
/// one by one, and merging and splitting them each time would cost more than everything else.
const READY_MAX: usize = 16;
/// The end of the list of returned buffers.
const NONE: u32 = u32::MAX;

/// The pool. Owned by one thread; lends without a lock and without the allocator.
pub struct BufferPool {
    shared: Arc<Shared>,
    blocks: Blocks,
    /// Per order; taken in the eyes of the allocator.
    ready: [Ready; ORDER_MAX as usize + 1],
    ready_bytes: usize,
    bytes_in_use_max: usize,
    large_bytes_max: usize,
}

#[derive(Clone, Copy, Default)]
struct Ready {
    units: [u32; READY_MAX],
    count: usize,
}

impl Ready {
    fn push(&mut self, unit: u32) -> bool {
        let room = self.count < READY_MAX;
        if room {
            self.units[self.count] = unit;
            self.count += 1;
        }
        room
    }

    fn pop(&mut self) -> Option<u32> {
        self.count = self.count.checked_sub(1)?;
        Some(self.units[self.count])
    }
}

/// What the pool and its buffers share. The claim lives here: as long as one buffer is out, no other
/// pool may lend the same memory.
struct Shared {
    _claim: Claim,
    base: NonNull<u8>,
    /// The first unit of the buffer returned last, or [`NONE`]: a list that many push to and the
    /// owner takes as a whole.
    returned: AtomicU32,
    /// Per unit, the next in that list.
    next: Box<[AtomicU32]>,
    large_bytes: AtomicUsize,
}

// SAFETY: `base` is an address in a shared mapping that `_claim` keeps; what is behind it belongs to
// the buffers, each of which has one owner. The rest is atomics and plain data.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// How much of a pool is lent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferPoolUse {
    /// Bytes of the pool from end to end.
    pub bytes: usize,
    /// Bytes that have memory behind them and are not lent.
    pub bytes_free: usize,
    /// Bytes of the pool that lie on huge pages.
    pub bytes_huge: usize,
    /// Of the free ones, bytes of 2 MiB chunks of which nothing is lent.
    pub bytes_free_whole: usize,
    /// Bytes of the region's pool that are lent (returned ones may count until the next `take`).
    pub bytes_in_use: usize,
    /// The most that was ever lent.
    pub bytes_in_use_max: usize,
    /// Bytes of buffers that were too large for the pool.
    pub large_bytes: usize,
    /// Times that a buffer was lent from memory that was there.
    pub hits: u64,
    /// Times that memory had to be had first: from the filesystem, or a mapping of its own.
    pub misses: u64,
    /// Times that nothing could be lent.
    pub exhausted: u64,
    /// Bytes that were given back to the system.
    pub bytes_trimmed: u64,
    /// Times that something was given back.
    pub trims: u64,
}

impl BufferPool {
    pub(crate) fn attach(claim: Claim, shard: u16) -> BufferPool {
        let region = claim.region();
        let bytes = region.layout().sizes.buffer_bytes as usize;
        let offset = region.layout().buffers(shard);
        let base = region.part::<u8>(offset);
        let units = bytes / UNIT_BYTES;
        let span = Span {
            start: offset,
            chunks: bytes / CHUNK_BYTES,
            directory: None,
            refusals_between_asks: 0,
        };
        let blocks = Blocks::new(region.clone(), span, format!("buffers-{shard}"));
        BufferPool {
            shared: Arc::new(Shared {
                _claim: claim,
                base,
                returned: AtomicU32::new(NONE),
                next: zeroed(units),
                large_bytes: AtomicUsize::new(0),
            }),
            blocks,
            ready: Default::default(),
            ready_bytes: 0,
            bytes_in_use_max: 0,
            large_bytes_max: LARGE_BYTES_MAX,
        }
    }

    /// A buffer of at least `bytes`: the next power of two from 4 KiB to 2 MiB. Its bytes are whatever
    /// they were. `None` if that is too large or nothing is left.
    pub fn take(&mut self, bytes: usize) -> Option<Buffer> {
        let order = order_for(bytes.max(1))?;
        self.collect_returned();
        let unit = self.lend(order)?;
        self.bytes_in_use_max = self.bytes_in_use_max.max(self.bytes_in_use());
        // SAFETY: the allocator lends units of this pool only.
        let start = unsafe { self.shared.base.add(unit as usize * UNIT_BYTES) };
        Some(Buffer {
            start,
            length: UNIT_BYTES << order,
            home: self.shared.clone(),
            memory: Memory::Pool { unit },
        })
    }

    /// A zeroed buffer of at least `bytes` that may be larger than the pool's, in memory of its own:
    /// not for the hot path. `None` past the cap ([`BufferPool::set_large_bytes_max`]) or when the
    /// system has none.
    pub fn take_large(&mut self, bytes: usize) -> Option<Buffer> {
        let length = bytes.max(1).checked_next_multiple_of(UNIT_BYTES)?;
        let in_use = self.shared.large_bytes.load(Ordering::Relaxed);
        let fits = in_use.checked_add(length)? <= self.large_bytes_max;
        let mapping = fits.then(|| Mapping::anonymous(length).ok()).flatten();
        let Some(mapping) = mapping else {
            self.blocks.counts.exhausted += 1;
            return None;
        };
        self.blocks.counts.misses += 1;
        self.shared.large_bytes.fetch_add(length, Ordering::Relaxed);
        Some(Buffer {
            start: NonNull::new(mapping.as_ptr())?,
            length,
            home: self.shared.clone(),
            memory: Memory::Large { _mapping: mapping },
        })
    }

    /// How many bytes [`BufferPool::take_large`] lends at once; 256 MiB unless told.
    pub fn set_large_bytes_max(&mut self, bytes: usize) {
        self.large_bytes_max = bytes;
    }

    /// Bytes that the pool has in all.
    pub fn capacity(&self) -> usize {
        self.blocks.bytes()
    }

    /// How much is lent.
    pub fn usage(&self) -> BufferPoolUse {
        let (blocks, counts) = (&self.blocks, self.blocks.counts);
        BufferPoolUse {
            bytes: self.capacity(),
            bytes_free: self.blocks.buddy.bytes_free() + self.ready_bytes,
            bytes_huge: blocks.bytes_huge(),
            bytes_free_whole: self.blocks.buddy.bytes_free_whole(),
            bytes_in_use: self.bytes_in_use(),
            bytes_in_use_max: self.bytes_in_use_max,
            large_bytes: self.shared.large_bytes.load(Ordering::Relaxed),
            hits: counts.hits,
            misses: counts.misses,
            exhausted: counts.exhausted,
            bytes_trimmed: blocks.bytes_trimmed(),
            trims: counts.trims,
        }
    }

    /// Says how memory is taken, and takes the initial one; to be called before the first buffer is
    /// asked for. Where there is too little, the rest comes when it is needed.
    pub fn prepare(&mut self, options: PoolOptions) {
        self.blocks.prepare(options);
    }

    /// Takes note of what the helper thread has done meanwhile, for [`usage`](Self::usage).
    pub fn settle(&mut self) {
        self.blocks.supply.collect();
    }

    /// Gives whole chunks of which nothing is lent back to the system while more than `keep_bytes`
    /// have memory, at most `chunks_max`. A helper thread does the work; returns whether it was given
    /// any.
    pub fn trim(&mut self, keep_bytes: usize, chunks_max: usize) -> bool {
        if self.blocks.bytes_backed() > keep_bytes {
            self.collect_returned();
            self.merge_ready();
        }
        self.blocks.trim(keep_bytes, chunks_max)
    }

    fn bytes_in_use(&self) -> usize {
        self.blocks.buddy.bytes_in_use() - self.ready_bytes
    }

    fn lend(&mut self, order: u8) -> Option<u32> {
        let mut unit = self.ready[usize::from(order)].pop();
        if unit.is_some() {
            self.ready_bytes -= UNIT_BYTES << order;
        } else {
            unit = self.blocks.buddy.allocate(order);
        }
        if unit.is_none() {
            self.merge_ready();
        }
        self.blocks.lend(order, unit)
    }

    /// Before more memory is taken, what lies ready in other sizes is made use of.
    fn merge_ready(&mut self) {
        for order in 0..=ORDER_MAX {
            while let Some(unit) = self.ready[usize::from(order)].pop() {
                self.blocks.buddy.free(unit);
            }
        }
        self.ready_bytes = 0;
    }

    fn collect_returned(&mut self) {
        if self.shared.returned.load(Ordering::Relaxed) == NONE {
            return;
        }
        // Acquire: pairs with the Release of `Shared::give_back`; the links and the last owner's
        // accesses to the bytes came before.
        let mut unit = self.shared.returned.swap(NONE, Ordering::Acquire);
        while unit != NONE {
            let next = self.shared.next[unit as usize].load(Ordering::Relaxed);
            let order = self
                .blocks
                .buddy
                .order(unit)
                .expect("a lent buffer is taken");
            if self.ready[usize::from(order)].push(unit) {
                self.ready_bytes += UNIT_BYTES << order;
            } else {
                self.blocks.buddy.free(unit);
            }
            unit = next;
        }
    }
}

/// Zeroes that take memory only where they are written: each is written before it is read.
fn zeroed(count: usize) -> Box<[AtomicU32]> {
    let zeroes = Box::<[AtomicU32]>::new_zeroed_slice(count);
    // SAFETY: zero is a value of an atomic integer.
    unsafe { zeroes.assume_init() }
}

impl Shared {
    fn give_back(&self, unit: u32) {
        let mut first = self.returned.load(Ordering::Relaxed);
        loop {
            self.next[unit as usize].store(first, Ordering::Relaxed);
            // Release: pairs with the Acquire of `BufferPool::collect_returned`.
            match self.returned.compare_exchange_weak(
                first,
                unit,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }
}

enum Memory {
    Pool { unit: u32 },
    Large { _mapping: Mapping },
}

/// A lent buffer. It may move to another thread; dropping it gives it back to its pool.
pub struct Buffer {
    start: NonNull<u8>,
    length: usize,
    home: Arc<Shared>,
    memory: Memory,
}

// SAFETY: a buffer is the one owner of its bytes, and what it shares with its pool is `Sync`.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer only gives out shared slices.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Dropping it, by a name that says what happens.
    pub fn give_back(self) {}
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the pool lent `length` bytes from `start` to this buffer alone, and the memory stays
        // mapped while `home` or the mapping in `memory` lives. Bytes are initialised: a file's or zero.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` is the only access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match self.memory {
            Memory::Pool { unit } => self.home.give_back(unit),
            Memory::Large { .. } => {
                self.home
                    .large_bytes
                    .fetch_sub(self.length, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.length)
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool")
            .field("use", &self.usage())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
#[path = "buffer/tests.rs"]
mod tests;
