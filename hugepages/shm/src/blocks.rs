//! What the pools of a shard have in common: blocks of their chunks, lent and taken back, and the
//! growing and shrinking by whole chunks.

use precursor_memory::{BuddyAllocator, CHUNK_BYTES, ORDER_MAX};

use crate::chunks::{ChunkSupply, PoolOptions, Span};
use crate::region::Region;

/// The most that is kept ready ahead of need.
const SPARE_BYTES_MAX: usize = 16 << 20;

/// A pool's memory and who has which part of it. Owned by one thread.
pub(crate) struct Blocks {
    pub buddy: BuddyAllocator,
    pub supply: ChunkSupply,
    pub counts: BlockCounts,
}

/// How often memory was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockCounts {
    pub hits: u64,
    pub misses: u64,
    pub exhausted: u64,
    pub trims: u64,
}

/// How much should be free while so much is lent: as much again, because a pool that grows does so
/// fastest in proportion while it is small, and nothing for a broker that does nothing.
fn spare_bytes(bytes_in_use: usize) -> usize {
    bytes_in_use.min(SPARE_BYTES_MAX)
}

impl Blocks {
    pub fn new(region: Region, span: Span, name: String) -> Blocks {
        Blocks {
            buddy: BuddyAllocator::new(span.chunks * CHUNK_BYTES),
            supply: ChunkSupply::new(region, span, name),
            counts: BlockCounts::default(),
        }
    }

    /// Lends a block of this order as `first` has one, else from memory that is had for it, and
    /// counts which it was.
    pub fn lend(&mut self, order: u8, first: Option<u32>) -> Option<u32> {
        let waits = self.supply.counts().waits;
        let mut unit = first.or_else(|| self.buddy.allocate(order));
        while unit.is_none() && self.grow() {
            unit = self.buddy.allocate(order);
        }
        match unit {
            None => self.counts.exhausted += 1,
            Some(_) if self.supply.counts().waits == waits => self.counts.hits += 1,
            Some(_) => self.counts.misses += 1,
        }
        if unit.is_some() {
            self.keep_spare(order);
        }
        unit
    }

    /// Says how memory is taken, and takes the initial one. Where there is too little, the rest comes
    /// when it is needed.
    pub fn prepare(&mut self, options: PoolOptions) {
        self.supply.set_step(options.step_bytes);
        let wanted = options.initial_bytes.min(self.bytes());
        while self.bytes_backed() < wanted {
            let chunk = match options.prewarm {
                true => self.supply.next_warm(),
                false => self.supply.next(),
            };
            let Some(chunk) = chunk else { break };
            self.buddy.add_chunk(chunk);
        }
    }

    /// Gives whole chunks of which nothing is lent back to the system while more than `keep_bytes`
    /// have memory, at most `chunks_max`; the helper thread does the work. Returns whether it was
    /// given any.
    pub fn trim(&mut self, keep_bytes: usize, chunks_max: usize) -> bool {
        let mut trimmed = self.supply.give_back_ready();
        for _ in 0..chunks_max {
            if self.bytes_backed() < keep_bytes + CHUNK_BYTES {
                break;
            }
            let Some(chunk) = self.buddy.last_free_chunk() else {
                break;
            };
            self.buddy.remove_chunk(chunk);
            if !self.supply.give_back(chunk) {
                self.buddy.add_chunk(chunk);
                break;
            }
            trimmed = true;
        }
        self.counts.trims += u64::from(trimmed);
        trimmed
    }

    /// From end to end.
    pub fn bytes(&self) -> usize {
        self.buddy.chunks_max() * CHUNK_BYTES
    }

    /// With memory behind them, lent or not.
    pub fn bytes_backed(&self) -> usize {
        self.buddy.bytes_free() + self.buddy.bytes_in_use()
    }

    pub fn bytes_huge(&self) -> usize {
        self.supply.counts().huge * CHUNK_BYTES
    }

    pub fn bytes_trimmed(&self) -> u64 {
        self.supply.counts().given_back * CHUNK_BYTES as u64
    }

    /// Adds the next chunk that there is memory for.
    fn grow(&mut self) -> bool {
        let chunk = self.supply.next();
        if let Some(chunk) = chunk {
            self.buddy.add_chunk(chunk);
        }
        chunk.is_some()
    }

    /// Has the helper thread make memory ready before blocks like the last one need it.
    fn keep_spare(&mut self, order: u8) {
        let spare = spare_bytes(self.buddy.bytes_in_use());
        // Pieces between what is lent are of no use to large blocks.
        let free = match order + 1 < ORDER_MAX {
            true => self.buddy.bytes_free(),
            false => self.buddy.bytes_free_whole(),
        };
        let missing = spare.saturating_sub(free);
        if missing > 0 {
            let chunks = missing.div_ceil(CHUNK_BYTES);
            let coming = self.supply.coming();
            self.supply.order(chunks.saturating_sub(coming));
        }
    }
}
