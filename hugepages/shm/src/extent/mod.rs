//! A shard's extents: pieces of its logs' tails, in memory that outlives the process.
//!
//! The pool belongs to one shard thread. What a successor must know is in the directory, one entry
//! per smallest extent; who may lend what is private book-keeping, rebuilt from the directory by
//! [`ExtentPool::attach`]. Memory is taken from the filesystem in chunks of 2 MiB, when the ones in
//! use do not suffice, and given back when they are not needed ([`PoolOptions`], [`ExtentPool::trim`]).

mod directory;
mod recovery;
#[cfg(all(test, not(loom)))]
mod tests;

use std::fmt;
use std::ptr::NonNull;

use precursor_memory::{CHUNK_BYTES, UNIT_BYTES, order_for};

use crate::blocks::Blocks;
use crate::chunks::{PoolOptions, Span};
use crate::region::Claim;
pub(crate) use directory::DirectoryEntry;
pub use directory::{ExtentOwner, ExtentState, WORDS_BYTES};
use directory::{WORDS_AT, chunk_bytes};
pub use recovery::{RecoveredExtent, SetAside, SetAsideReason};

/// Names a lent extent: where it begins, and which lending of that place it is, so that a stale name
/// is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtentId {
    unit: u32,
    generation: u32,
}

impl ExtentId {
    /// Which of the pool's 4 KiB units it begins at: smaller than the pool's bytes / 4096, and no two
    /// lent extents have the same.
    pub fn unit(self) -> usize {
        self.unit as usize
    }

    /// Which lending of that place it is; the extent's words say the same.
    pub fn generation(self) -> u32 {
        self.generation
    }
}

/// How much of a pool is lent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtentPoolUse {
    /// Bytes of the pool from end to end.
    pub bytes: usize,
    /// Bytes that have memory behind them, lent or not (not counting what is ready ahead of need).
    pub bytes_backed: usize,
    /// Of those, bytes that lie on huge pages.
    pub bytes_huge: usize,
    /// Bytes that have memory behind them and are not lent.
    pub bytes_free: usize,
    /// Bytes lent.
    pub bytes_in_use: usize,
    /// The most that was ever lent at once.
    pub bytes_in_use_max: usize,
    /// Of those, bytes of 2 MiB chunks of which nothing is lent.
    pub bytes_free_whole: usize,
    /// The largest extent that can be lent for certain: of what is backed.
    pub largest_free: usize,
    /// Times that an extent was lent from memory that was there.
    pub hits: u64,
    /// Times that the owner had to wait for the filesystem's memory.
    pub misses: u64,
    /// Times that nothing could be lent.
    pub exhausted: u64,
    /// Bytes that were given back to the system.
    pub bytes_trimmed: u64,
    /// Times that something was given back.
    pub trims: u64,
    /// Directory entries that recovery could not believe.
    pub set_aside: usize,
}

/// The pool.
pub struct ExtentPool {
    claim: Claim,
    shard: u16,
    base: NonNull<u8>,
    bytes: usize,
    directory: NonNull<DirectoryEntry>,
    blocks: Blocks,
    /// Per unit, the generation of the extent that begins there (zero pages until used).
    generations: Box<[u32]>,
    recovered: Vec<RecoveredExtent>,
    set_aside: Vec<SetAside>,
}

// SAFETY: the pointers are into a shared mapping that the claim keeps, not tied to a thread; the pool
// is owned by one thread at a time.
unsafe impl Send for ExtentPool {}

impl ExtentPool {
    pub(crate) fn attach(claim: Claim, shard: u16) -> ExtentPool {
        let region = claim.region();
        let bytes = region.layout().sizes.pool_bytes as usize;
        let span = Span {
            start: region.layout().pool(shard),
            chunks: bytes / CHUNK_BYTES,
            directory: Some((region.layout().directory(shard), chunk_bytes() as u64)),
            refusals_between_asks: 1024,
        };
        let mut pool = ExtentPool {
            shard,
            base: region.part(region.layout().pool(shard)),
            bytes,
            directory: region.part(region.layout().directory(shard)),
            blocks: Blocks::new(region.clone(), span, format!("extents-{shard}")),
            generations: vec![0; bytes / UNIT_BYTES].into(),
            recovered: Vec::new(),
            set_aside: Vec::new(),
            claim,
        };
        pool.recover();
        pool
    }

    /// Lends an extent of at least `bytes` (the next power of two from 4 KiB to 2 MiB) for a range of
    /// a log's segment file, in state [`ExtentState::Open`] with nothing committed. Its bytes are
    /// whatever they were. `None` if there is no room, or `bytes` is more than 2 MiB.
    pub fn allocate(&mut self, bytes: usize, owner: ExtentOwner) -> Option<ExtentId> {
        let (id, order) = self.lend(bytes)?;
        self.entry(id.unit).open(owner, order, id.generation);
        Some(id)
    }

    /// Lends an extent that a successor need not know of: what it holds can be read from disk again.
    pub fn allocate_cache(&mut self, bytes: usize) -> Option<ExtentId> {
        let (id, _) = self.lend(bytes)?;
        self.entry(id.unit).open_cache();
        Some(id)
    }

    /// Makes an extent of [`ExtentPool::allocate_cache`] a log's: open, with nothing committed. What is
    /// to be found after a crash is written and published behind this.
    pub fn assign(&mut self, id: ExtentId, owner: ExtentOwner) {
        let order = self.order(id);
        self.entry(id.unit).open(owner, order, id.generation);
    }

    /// The whole extent, committed or not.
    ///
    /// # Panics
    /// This and all that take an id: if the extent was freed.
    pub fn bytes(&self, id: ExtentId) -> &[u8] {
        let (pointer, length) = self.place(id);
        // SAFETY: `place` saw that the extent is lent under this id, so these bytes are within the
        // pool and no other extent's; they change only by `&mut self`.
        unsafe { std::slice::from_raw_parts(pointer, length) }
    }

    /// The whole extent, to be written.
    pub fn bytes_mut(&mut self, id: ExtentId) -> &mut [u8] {
        let (pointer, length) = self.place(id);
        // SAFETY: as for `bytes`, and `&mut self` is the only access.
        unsafe { std::slice::from_raw_parts_mut(pointer, length) }
    }

    /// The extent's size in bytes.
    pub fn size(&self, id: ExtentId) -> usize {
        UNIT_BYTES << self.order(id)
    }

    /// Makes the first `committed` bytes part of the log: the one store after which a crash of every
    /// process does not lose them.
    ///
    /// # Panics
    /// If that is more than the extent has.
    pub fn publish(&mut self, id: ExtentId, committed: u64) {
        assert!(
            committed <= self.size(id) as u64,
            "committed {committed} bytes"
        );
        self.entry(id.unit).publish(committed);
    }

    /// Bytes that are part of the log.
    pub fn committed(&self, id: ExtentId) -> u64 {
        let size = self.size(id) as u64;
        self.entry(id.unit).committed().min(size)
    }

    /// Says how far the extent is on its way to disk.
    pub fn set_state(&mut self, id: ExtentId, state: ExtentState) {
        self.order(id);
        self.entry(id.unit).set_state(state);
    }

    /// Takes an extent back. Its id is stale from here on.
    pub fn free(&mut self, id: ExtentId) {
        self.order(id);
        self.entry(id.unit).close();
        self.generations[id.unit()] = id.generation.wrapping_add(1);
        self.blocks.buddy.free(id.unit);
    }

    /// Of an extent that is still read: a successor need not know of it, and who watches its words
    /// from afar sees that nothing is added any more. It stays lent.
    pub fn detach(&mut self, id: ExtentId) {
        self.order(id);
        self.entry(id.unit).close();
    }

    /// Whether the extent is lent under this id.
    pub fn is_lent(&self, id: ExtentId) -> bool {
        self.blocks.buddy.order(id.unit).is_some() && self.generations[id.unit()] == id.generation
    }

    /// What attaching found: every believable extent that a predecessor had lent for a log, in the
    /// order of the directory. They are lent: free each when it is dealt with. Told once.
    pub fn recovered(&mut self) -> Vec<RecoveredExtent> {
        std::mem::take(&mut self.recovered)
    }

    /// Directory entries that attaching could not believe. They and the bytes they stood for were
    /// copied to a file in `<data directory>/set-aside` before their places were lent again.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// The extent's first byte, for the kernel to read from or write to. Valid while it is lent.
    pub fn address(&self, id: ExtentId) -> *const u8 {
        self.place(id).0
    }

    /// The extent's [`WORDS_BYTES`] in the directory, for who reads them from afar. Valid as long.
    pub fn words_address(&self, id: ExtentId) -> *const u8 {
        self.order(id);
        let entry = std::ptr::from_ref(self.entry(id.unit)).cast::<u8>();
        entry.wrapping_add(WORDS_AT)
    }

    /// The whole pool: first byte and length. Not all of it has memory behind it: registering it with
    /// the kernel as a whole would take all of it; see [`ExtentPool::backed_chunk`].
    pub fn region_bytes(&self) -> (*const u8, usize) {
        (self.base.as_ptr(), self.bytes)
    }

    /// The 2 MiB chunk that this extent lies in: its number, for registering chunks one by one.
    pub fn backed_chunk(&self, id: ExtentId) -> usize {
        id.unit() * UNIT_BYTES / CHUNK_BYTES
    }

    /// Says how memory is taken, and takes the initial one; to be called before the first extent is
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
        self.blocks.trim(keep_bytes, chunks_max)
    }

    /// How much is lent.
    pub fn usage(&self) -> ExtentPoolUse {
        let (blocks, counts) = (&self.blocks, self.blocks.counts);
        ExtentPoolUse {
            bytes: self.bytes,
            bytes_backed: blocks.bytes_backed(),
            bytes_huge: blocks.bytes_huge(),
            bytes_free: blocks.buddy.bytes_free(),
            bytes_in_use: blocks.buddy.bytes_in_use(),
            bytes_in_use_max: blocks.buddy.bytes_in_use_max(),
            bytes_free_whole: blocks.buddy.bytes_free_whole(),
            largest_free: blocks.buddy.largest_free(),
            hits: counts.hits,
            misses: counts.misses,
            exhausted: counts.exhausted,
            bytes_trimmed: blocks.bytes_trimmed(),
            trims: counts.trims,
            set_aside: self.set_aside.len(),
        }
    }

    fn lend(&mut self, bytes: usize) -> Option<(ExtentId, u8)> {
        let order = order_for(bytes.max(1))?;
        let unit = self.blocks.lend(order, None)?;
        let generation = self.generations[unit as usize];
        Some((ExtentId { unit, generation }, order))
    }

    fn order(&self, id: ExtentId) -> u8 {
        let order = self.blocks.buddy.order(id.unit);
        match order {
            Some(order) if self.generations[id.unit()] == id.generation => order,
            _ => panic!("{id:?} was freed"),
        }
    }

    fn place(&self, id: ExtentId) -> (*mut u8, usize) {
        let length = self.size(id);
        // SAFETY: the allocator lends units of this pool only.
        let pointer = unsafe { self.base.as_ptr().add(id.unit() * UNIT_BYTES) };
        (pointer, length)
    }

    fn entry(&self, unit: u32) -> &DirectoryEntry {
        assert!((unit as usize) < self.generations.len());
        // SAFETY: the directory has an entry for every unit of the pool; entries consist of atomics,
        // so any bytes are a value and other processes may look at them.
        unsafe { self.directory.add(unit as usize).as_ref() }
    }
}

impl fmt::Debug for ExtentPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtentPool")
            .field("shard", &self.shard)
            .field("use", &self.usage())
            .finish_non_exhaustive()
    }
}
